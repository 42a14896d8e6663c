/** The inside of a worker, in Node and in the browser: one interpreter, one message per call. */
import type { PythonCall, PythonResult } from "./engine";
import { Interpreter, type PythonImage } from "./python/interpreter";

export type ToWorker =
  | { type: "init"; image: PythonImage; module: WebAssembly.Module }
  | { type: "run"; module: WebAssembly.Module; call: PythonCall };

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
 */
export function workerCore(post: (message: FromWorker) => void): (message: ToWorker) => void {
  let interpreter: Interpreter | undefined;
  return (message) => {
    if (message.type === "init") {
      interpreter = new Interpreter(message.image);
      const { status, stdout, stderr } = interpreter.run(message.module, WARM_UP);
      if (status !== "ok" || stdout !== "2\n") throw new Error(`Python does not work: ${status} ${stdout}${stderr}`);
      interpreter.restore();
      interpreter.prepare(message.module);
      post({ type: "ready" });
      return;
    }
    if (interpreter === undefined) throw new Error("a call before init");
    post({ type: "result", result: interpreter.run(message.module, message.call) });
    interpreter.restore();
    interpreter.prepare(message.module);
  };
}
