import { DEFAULT_LIMITS, type PythonEngine } from "../engine";
import { AssetError, loadPython, PythonModules } from "../python/assets";
import type { FromWorker } from "../worker-core";
import { type SpawnWorker, WorkerPool } from "../worker-pool";

export interface BrowserSandboxOptions {
  /** Address of the folder with the output of scripts/build-python.mjs. */
  assetUrl: string | URL;
  /** Programs that run at the same time; by default one per core, at most 4. */
  workerCount?: number;
  /** Memory limit for which the interpreter is compiled ahead, in MiB. */
  memoryMb?: number;
  /** Bytes loaded so far, over all files. */
  onProgress?: (loaded: number) => void;
}

/**
 * Starts the Python sandbox of a page: the same interpreter and host as in Node, in dedicated workers. Resolves when
 * the first worker is ready; throws AssetError when the assets can't be loaded.
 */
export async function createBrowserSandbox(options: BrowserSandboxOptions): Promise<PythonEngine> {
  const base = new URL(`${String(options.assetUrl).replace(/\/*$/, "")}/`, globalThis.location?.href);
  let loaded = 0;
  const assets = await loadPython((name) =>
    fetchBytes(new URL(name, base), (bytes) => {
      loaded += bytes;
      options.onProgress?.(loaded);
    }),
  );
  return WorkerPool.start({
    workerCount: options.workerCount ?? Math.min(navigator.hardwareConcurrency, 4),
    spawn,
    modules: new PythonModules(assets),
    image: assets.image,
    memoryMb: options.memoryMb ?? DEFAULT_LIMITS.memoryMb,
  });
}

const spawn: SpawnWorker = (onMessage, ended) => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = (event: MessageEvent<FromWorker>) => onMessage(event.data);
  worker.onerror = (event) => ended(event.message);
  worker.onmessageerror = () => ended("a message could not be read");
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate() };
};

async function fetchBytes(url: URL, progress: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new AssetError(`${url} can't be loaded: ${error instanceof Error ? error.message : error}`);
  });
  if (!response.ok || response.body === null) throw new AssetError(`${url} can't be loaded: status ${response.status}`);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    progress(value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
