/** The inside of a worker, in Node and in the browser: one interpreter, one message per call. */
import type { PythonCall, PythonResult } from "./engine";
import { Interpreter, type PythonImage } from "./python/interpreter";

export type ToWorker =
  | { type: "init"; image: PythonImage; module: WebAssembly.Module }
  /**
   * `module` only when it is another than in the message before: every transfer makes a new object, and an instance.
   */
  | { type: "run"; module: WebAssembly.Module | undefined; call: PythonCall };

export type FromWorker = { type: "ready" } | { type: "result"; result: PythonResult };

const WARM_UP: PythonCall = {
  code: "print(1 + 1)",
  timeoutMs: 60_000,
  memoryMb: 256,
  maxOutputBytes: 256,
  seed: "",
};

/**
 * Handles the messages of a worker's parent. A result is posted before the memory is restored, so restoring costs the
 * caller nothing; the next message waits for it, as both run on this thread.
 *
 * @param collect as in {@link Interpreter}
 */
export function workerCore(post: (message: FromWorker) => void, collect?: () => void): (message: ToWorker) => void {
  let interpreter: Interpreter | undefined;
  let module: WebAssembly.Module | undefined;
  return (message) => {
    module = message.module ?? module;
    if (message.type === "init") interpreter = new Interpreter(message.image, collect);
    if (interpreter === undefined || module === undefined) throw new Error("a call before init");
    if (message.type === "init") {
      const { status, stdout, stderr } = interpreter.run(module, WARM_UP);
      if (status !== "ok" || stdout !== "2\n") throw new Error(`Python does not work: ${status} ${stdout}${stderr}`);
      post({ type: "ready" });
    } else post({ type: "result", result: interpreter.run(module, message.call) });
    interpreter.restore();
    interpreter.prepare(module);
  };
}
