import { reasonOf, UserError } from "../../base/errors";
import { type LoadProgress, loadBody } from "../../base/http";
import { must } from "../../base/must";
import { type CallEnd, CallQueue, CLOSED } from "../calls";
import { DEFAULT_LIMITS, type PythonCall, type PythonEngine } from "../engine";
import { MANIFEST_FILE, SNAPSHOT_FILE, WASM_FILE } from "../python/assets";
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

/**
 * Starts the Python sandbox of a page: the same interpreter and host as in Node, in workers of a frame that reaches
 * nothing (frame.ts). Call it where the calls come from, in the page or in a worker, with the port of the frame; what
 * it loads is handed in through it. Resolves when the first worker is ready.
 *
 * @throws UserError when the files can't be loaded or the frame does not start
 */
export async function createBrowserSandbox(port: MessagePort, options: BrowserSandboxOptions): Promise<PythonEngine> {
  const base = new URL(`${String(options.assetUrl).replace(/\/*$/, "")}/`, globalThis.location?.href);
  const workerCount = options.workerCount ?? Math.min(navigator.hardwareConcurrency, 4);
  const frame = new Frame(port);
  const loaded = new Map<string, number>();
  const load = async (name: string) => {
    const bytes = await fetchBytes(new URL(name, base), (done) => {
      loaded.set(name, done);
      options.onProgress?.([...loaded.values()].reduce((sum, each) => sum + each, 0));
    });
    return [name, bytes] as const;
  };
  try {
    const files = new Map(await Promise.all([MANIFEST_FILE, WASM_FILE, SNAPSHOT_FILE].map(load)));
    await frame.start(files, workerCount, options.memoryMb ?? DEFAULT_LIMITS.memoryMb);
  } catch (error) {
    frame.close();
    throw error;
  }
  const queue = new CallQueue(workerCount, (call) => frame.run(call));
  return {
    run: (call) => queue.run(call),
    waiting: () => queue.waiting(),
    async close() {
      frame.close();
      await queue.close();
    },
  };
}

/** The near side of the port. Deadlines are those of the pool in the frame. */
class Frame {
  readonly #port: MessagePort;
  readonly #calls = new Map<number, (end: CallEnd) => void>();
  readonly #opened = settleable();
  readonly #ready = settleable();
  #ids = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<FromFrame>) => this.#message(data);
  }

  /** Hands the files over. @throws UserError when the frame does not answer, or its workers do not start */
  async start(
    files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
    workerCount: number,
    memoryMb: number,
  ): Promise<void> {
    const timer = setTimeout(() => this.#ready.reject(new UserError(NO_FRAME)), OPEN_MS);
    await Promise.race([this.#opened.promise, this.#ready.promise]);
    clearTimeout(timer);
    const start: ToFrame = { type: "start", files, workerCount, memoryMb };
    this.#port.postMessage(
      start,
      [...files.values()].map(({ buffer }) => buffer),
    );
    await this.#ready.promise;
  }

  run(call: PythonCall): Promise<CallEnd> {
    return new Promise((resolve) => {
      const id = this.#ids++;
      this.#calls.set(id, resolve);
      this.#post({ type: "run", id, call });
    });
  }

  close(): void {
    this.#post({ type: "close" });
    this.#port.close();
    this.#endAll(CLOSED);
  }

  #post(message: ToFrame): void {
    this.#port.postMessage(message);
  }

  #message(message: FromFrame): void {
    if (message.type === "open") this.#opened.resolve();
    else if (message.type === "ready") this.#ready.resolve();
    else if (message.type === "result") {
      this.#calls.get(message.id)?.(message.result);
      this.#calls.delete(message.id);
    } else {
      this.#ready.reject(new UserError(`The Python sandbox of this page does not start: ${message.message}`));
      this.#endAll({ status: "crash", stderr: `${message.message}\n` });
    }
  }

  /** Ends calls whose result can't come any more. */
  #endAll(end: CallEnd): void {
    for (const resolve of this.#calls.values()) resolve(end);
    this.#calls.clear();
  }
}

interface Settleable {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(why: Error): void;
}

function settleable(): Settleable {
  let settle: Pick<Settleable, "resolve" | "reject"> | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...must(settle, "a promise's ends") };
}

/** Loads a file whole. @throws UserError when it can't be loaded */
async function fetchBytes(url: URL, onProgress: LoadProgress): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new UserError(`${url} can't be loaded: ${reasonOf(error)}`);
  });
  if (!response.ok || response.body === null) throw new UserError(`${url} can't be loaded: status ${response.status}`);
  return loadBody(response, onProgress);
}

const NO_FRAME =
  "The frame of the Python sandbox does not answer. The page's content security policy must allow it: " +
  "script-src with the hash of its script and 'wasm-unsafe-eval', worker-src blob:.";
