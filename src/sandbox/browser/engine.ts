import { checkCall } from "../check";
import { DEFAULT_LIMITS, type PythonCall, type PythonEngine, type PythonResult } from "../engine";
import { AssetError, MANIFEST_FILE, SNAPSHOT_FILE, WASM_FILE } from "../python/assets";
import { fetchBytes } from "./fetch-bytes";
import type { FromFrame, ToFrame } from "./protocol";

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

/** A frame that has not answered by then never will: its script was refused. */
const OPEN_MS = 15_000;

interface Job {
  call: PythonCall;
  queuedAt: number;
  resolve: (result: PythonResult) => void;
}

/**
 * Starts the Python sandbox of a page: the same interpreter and host as in Node, in workers of a frame that reaches
 * nothing (frame.ts). Call it where the calls come from, in the page or in a worker, with the port of the frame; what it
 * loads is handed in through it. Resolves when the first worker is ready.
 *
 * @throws AssetError when the files can't be loaded or the frame does not start
 */
export async function createBrowserSandbox(port: MessagePort, options: BrowserSandboxOptions): Promise<PythonEngine> {
  const base = new URL(`${String(options.assetUrl).replace(/\/*$/, "")}/`, globalThis.location?.href);
  const engine = new FrameEngine(port, options.workerCount ?? Math.min(navigator.hardwareConcurrency, 4));
  let loaded = 0;
  const load = async (name: string) => {
    const bytes = await fetchBytes(new URL(name, base), (length) => {
      loaded += length;
      options.onProgress?.(loaded);
    });
    return [name, bytes] as const;
  };
  const files = new Map(await Promise.all([MANIFEST_FILE, WASM_FILE, SNAPSHOT_FILE].map(load)));
  await engine.start(files, options.memoryMb ?? DEFAULT_LIMITS.memoryMb);
  return engine;
}

/** The near side of the port: it keeps the calls that are open. Queue and deadlines are the pool's, in the frame. */
class FrameEngine implements PythonEngine {
  readonly #port: MessagePort;
  readonly #workerCount: number;
  readonly #jobs = new Map<number, Job>();
  readonly #opened: Promise<void>;
  readonly #ready: Promise<void>;
  #settleOpened: () => void = () => {};
  #settleReady: (error: Error | undefined) => void = () => {};
  #ids = 0;
  #closed = false;

  constructor(port: MessagePort, workerCount: number) {
    this.#port = port;
    this.#workerCount = workerCount;
    this.#opened = new Promise((resolve) => {
      this.#settleOpened = resolve;
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = (error) => (error === undefined ? resolve() : reject(error));
    });
    port.onmessage = ({ data }: MessageEvent<FromFrame>) => this.#message(data);
  }

  async start(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>, memoryMb: number): Promise<void> {
    const timer = setTimeout(() => this.#settleReady(new AssetError(NO_FRAME)), OPEN_MS);
    await Promise.race([this.#opened, this.#ready]);
    clearTimeout(timer);
    const start: ToFrame = { type: "start", files, workerCount: this.#workerCount, memoryMb };
    this.#port.postMessage(
      start,
      [...files.values()].map(({ buffer }) => buffer),
    );
    await this.#ready;
  }

  run(call: PythonCall): Promise<PythonResult> {
    return new Promise((resolve) => {
      // A throw in here rejects the promise.
      if (this.#closed) throw new Error("The Python engine is closed.");
      checkCall(call);
      const id = this.#ids++;
      this.#jobs.set(id, { call, queuedAt: performance.now(), resolve });
      this.#post({ type: "run", id, call });
    });
  }

  waiting(): { running: number; queued: number } {
    const running = Math.min(this.#jobs.size, this.#workerCount);
    return { running, queued: this.#jobs.size - running };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#post({ type: "close" });
    this.#port.close();
    this.#fail("the Python engine was closed");
  }

  #post(message: ToFrame): void {
    this.#port.postMessage(message);
  }

  #message(message: FromFrame): void {
    if (message.type === "open") this.#settleOpened();
    else if (message.type === "ready") this.#settleReady(undefined);
    else if (message.type === "result") {
      this.#jobs.get(message.id)?.resolve(message.result);
      this.#jobs.delete(message.id);
    } else {
      this.#settleReady(new AssetError(`The Python sandbox of this page does not start: ${message.message}`));
      this.#fail(message.message);
    }
  }

  /** Calls whose result can't come any more. */
  #fail(reason: string): void {
    for (const { queuedAt, resolve } of this.#jobs.values()) {
      const ms = performance.now() - queuedAt;
      resolve({ status: "crash", stdout: "", stderr: `${reason}\n`, ms, queueMs: 0, truncated: false });
    }
    this.#jobs.clear();
  }
}

const NO_FRAME =
  "The frame of the Python sandbox does not answer. The page's content security policy must allow it: " +
  "script-src with the hash of its script and 'wasm-unsafe-eval', worker-src blob:.";
