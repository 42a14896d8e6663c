/**
 * Entry of the sandbox process: it has no environment, no open file and no GPU, and holds nothing but the workers.
 * It ends when its parent does, because the channel between them then closes.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { UserError } from "../../base/errors";
import { loadPython, PythonModules } from "../python/assets";
import { PythonWorkers, type SpawnWorker } from "../python-workers";
import type { FromChild, ToChild } from "./protocol";
import { openDoors } from "./self-test";

/** Native stack of a worker: deep recursion in Python is deep recursion of compiled wasm. */
const STACK_MB = 32;
/** JS heap of a worker. The linear memory is outside it; files and output of the guest are inside. */
const HEAP_MB = 128;

function send(message: FromChild): void {
  if (process.connected) process.send?.(message);
}

const residentMb = (): number => process.memoryUsage.rss() / 2 ** 20;

function spawner(workerPath: string, workerFlags: string[]): SpawnWorker {
  return (onMessage, ended) => {
    const worker = new Worker(workerPath, {
      env: {},
      argv: [],
      execArgv: workerFlags,
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, stackSizeMb: STACK_MB },
    });
    worker.on("message", onMessage);
    worker.on("error", (error) => ended(error.message));
    worker.on("exit", (code) => ended(`exit code ${code}`));
    return { post: (message) => worker.postMessage(message), terminate: () => void worker.terminate() };
  };
}

async function start(init: ToChild & { type: "init" }): Promise<PythonWorkers> {
  const doors = openDoors();
  if (doors.length > 0)
    throw new UserError(
      `The Python sandbox is not closed: its process can ${doors.join(", ")} (Node ${process.version}). Use another version of Node.`,
    );
  const assets = await loadPython(async (name) => {
    try {
      return Uint8Array.from(await readFile(join(init.assetFolder, name)));
    } catch {
      throw new UserError(`${join(init.assetFolder, name)} can't be read. Build the Python assets: npm run build`);
    }
  });
  const leastMb = Math.ceil(assets.image.memory.length / 2 ** 20) + 8;
  if (init.memoryMb < leastMb)
    throw new UserError(
      `The Python memory limit is ${init.memoryMb} MiB; with these packages give ${leastMb} or more.`,
    );
  return PythonWorkers.start({
    workerCount: init.workerCount,
    spawn: spawner(init.workerPath, init.workerFlags),
    modules: new PythonModules(assets),
    image: assets.image,
    memoryMb: init.memoryMb,
  });
}

let pool: Promise<PythonWorkers> | undefined;
process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToChild) => {
  if (message.type === "init") {
    pool = start(message);
    pool.then(
      () => send({ type: "ready", residentMb: residentMb() }),
      (error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        send({ type: "failed", message: text, user: error instanceof Error && error.name === "UserError" });
      },
    );
    return;
  }
  const { id, call } = message;
  pool
    ?.then((ready) => ready.run(call))
    .then((result) => send({ type: "result", id, result, residentMb: residentMb() }))
    .catch((error: unknown) => {
      const result = { stdout: "", stderr: `${error}\n`, ms: 0, queueMs: 0, truncated: false };
      send({ type: "result", id, result: { status: "crash", ...result }, residentMb: residentMb() });
    });
});
