/**
 * Entry of the frame's first worker: the pool, which keeps the deadlines and starts one worker for each program at a
 * time.
 */
import { loadPython, PythonModules } from "../python/assets";
import { PythonWorkers, type SpawnWorker } from "../python-workers";
import type { FromWorker } from "../worker-core";
import type { FromFrame, StartRequest, ToFrame } from "./protocol";
import { text } from "./worker-program?program";

const guestProgram = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));

const spawn: SpawnWorker = (onMessage, ended) => {
  const worker = new Worker(guestProgram);
  worker.onmessage = (event: MessageEvent<FromWorker>) => onMessage(event.data);
  worker.onerror = (event) => ended(event.message);
  worker.onmessageerror = () => ended("a message could not be read");
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate() };
};

async function start({ files, workerCount, memoryMb }: StartRequest): Promise<PythonWorkers> {
  const assets = await loadPython(async (name) => {
    const bytes = files.get(name);
    if (bytes === undefined) throw new Error(`the page gave no ${name}`);
    return bytes;
  });
  return PythonWorkers.start({ workerCount, spawn, modules: new PythonModules(assets), image: assets.image, memoryMb });
}

function serve(port: MessagePort): void {
  const post = (message: FromFrame) => port.postMessage(message);
  let pool: PythonWorkers | undefined;
  port.onmessage = async ({ data }: MessageEvent<ToFrame>) => {
    try {
      if (data.type === "start") {
        pool = await start(data);
        post({ type: "ready" });
      } else if (pool === undefined) throw new Error("a message before start");
      else if (data.type === "run") post({ type: "result", id: data.id, result: await pool.run(data.call) });
      else await pool.close();
    } catch (error) {
      post({ type: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  };
  post({ type: "open" });
}

self.onmessage = ({ ports: [port] }: MessageEvent) => {
  if (port !== undefined) serve(port);
};
