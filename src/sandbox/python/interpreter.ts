import { outputStops, type PythonCall, type PythonResult, type PythonStatus } from "../engine";
import { GuestStop } from "../wasi/guest";
import { WasiHost } from "../wasi/host";
import { Philox } from "../wasi/random";
import { PYTHON_ARGS } from "./bootstrap";
import type { SnapshotFacts } from "./snapshot";
import { twisterState } from "./twister";

/** What an interpreter starts from; shared by all of them. */
export interface PythonImage {
  facts: SnapshotFacts;
  /** Memory at the moment before the first byte of a program is read. */
  memory: Uint8Array;
  /** Added packages: read-only files by absolute path. */
  files: ReadonlyMap<string, Uint8Array>;
}

interface Live {
  module: WebAssembly.Module;
  host: WasiHost;
  memory: WebAssembly.Memory;
  stackPointer: WebAssembly.Global;
  /** Programs that have begun in it. */
  runs: number;
  start: () => void;
  startRewind: (data: number) => void;
  stopRewind: () => void;
}

/**
 * Runs one program after the other, each in an interpreter that has just started. Between calls the whole linear
 * memory is restored from the snapshot; an instance whose memory has grown, which can't be undone, is dropped.
 * A call blocks the thread: keep it in a worker, and end the worker to end the call.
 */
export class Interpreter {
  readonly #image: PythonImage;
  readonly #collect: () => void;
  #live: Live | undefined;
  /** Instances were dropped whose memory has not been collected. */
  #hasGarbage = false;

  /**
   * @param collect collects garbage now, where a program may ask for that: the memory of a dropped instance is outside
   * the heap, which is small and seldom collected by itself, so a handful of them can lie around
   */
  constructor(image: PythonImage, collect: () => void = () => {}) {
    this.#image = image;
    this.#collect = collect;
  }

  /** Makes an instance ready, so that the next call with this module only has to run. */
  prepare(module: WebAssembly.Module): void {
    if (this.#live?.module === module) return;
    if (this.#live !== undefined) this.#drop();
    if (this.#hasGarbage) this.#collect();
    this.#hasGarbage = false;
    this.#live = this.#create(module);
  }

  #drop(): void {
    this.#live = undefined;
    this.#hasGarbage = true;
  }

  #create(module: WebAssembly.Module): Live {
    const host = new WasiHost();
    const { exports } = new WebAssembly.Instance(module, host.imports(module));
    const { memory, stack_pointer: stackPointer } = exports;
    if (!(memory instanceof WebAssembly.Memory) || !(stackPointer instanceof WebAssembly.Global))
      throw new Error("python.wasm exports no memory or no stack pointer");
    const find = (name: string) => {
      const found = exports[name];
      if (typeof found !== "function") throw new Error(`python.wasm exports no function ${name}`);
      return found;
    };
    host.attach(memory);
    find("__set_stack_limits")(this.#image.facts.stack.top, this.#image.facts.stack.bottom);
    new Uint8Array(memory.buffer).set(this.#image.memory);
    const [start, startRewind, stopRewind] = [
      find("_start"),
      find("asyncify_start_rewind"),
      find("asyncify_stop_rewind"),
    ];
    return {
      module,
      host,
      memory,
      stackPointer,
      runs: 0,
      start: () => start(),
      startRewind: (data) => startRewind(data),
      stopRewind: () => stopRewind(),
    };
  }

  /** `queueMs` of the result is 0: queueing is not seen from here. */
  run(module: WebAssembly.Module, call: PythonCall): PythonResult {
    this.prepare(module);
    const live = this.#live;
    if (live === undefined) throw new Error("no instance");
    const { facts } = this.#image;
    const began = performance.now();
    live.runs++;
    const guest = live.host.begin({
      args: PYTHON_ARGS,
      stdin: new TextEncoder().encode(call.code),
      environment: [],
      files: this.#image.files,
      seed: call.seed,
      maxOutputBytes: call.maxOutputBytes,
      outputStops: outputStops(call.maxOutputBytes),
      timeoutMs: call.timeoutMs,
    });
    seedRandom(live.memory, facts.random, call.seed);
    live.stackPointer.value = facts.stackPointer;
    let rewinding = true;
    live.host.onStdin = () => {
      if (rewinding) live.stopRewind();
      rewinding = false;
      return false;
    };
    live.startRewind(facts.unwind);
    let end: GuestStop | string;
    try {
      live.start();
      end = new GuestStop("exit", 0);
    } catch (error) {
      end = error instanceof GuestStop ? error : `${error instanceof Error ? error.message : error}`;
    }
    const stderr = guest.stderr.text();
    const result: PythonResult = {
      status: statusOf(end, stderr, live.memory.buffer.byteLength > (call.memoryMb << 20) / 2),
      stdout: guest.stdout.text(),
      stderr: typeof end === "string" ? `${stderr}the interpreter stopped: ${end}\n` : stderr,
      ms: performance.now() - began,
      queueMs: 0,
      truncated: guest.stdout.truncated || guest.stderr.truncated,
    };
    // A trap leaves Asyncify and the frames in a state nobody has reasoned about: such an instance is not used again.
    if (typeof end === "string") this.#drop();
    return result;
  }

  /** Brings the memory back to the snapshot. Not part of the call's time; nothing else may run before it. */
  restore(): void {
    const live = this.#live;
    if (live === undefined) return;
    if (live.memory.buffer.byteLength === this.#image.memory.length)
      new Uint8Array(live.memory.buffer).set(this.#image.memory);
    else this.#drop();
  }

  /**
   * For tests that freshness holds: compares the whole memory of the present instance with the snapshot. Call it where
   * the next program would begin.
   *
   * @returns programs that the instance has run, bytes of its memory, and the address of the first 4 bytes that differ;
   * undefined when there is no instance
   */
  inspect(): { runs: number; bytes: number; difference: number | undefined } | undefined {
    const live = this.#live;
    if (live === undefined) return undefined;
    const { memory } = this.#image;
    const present = new Uint32Array(live.memory.buffer);
    const image = new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4);
    const length = Math.max(present.length, image.length);
    let at = 0;
    while (at < length && present[at] === image[at]) at++;
    return { runs: live.runs, bytes: present.byteLength, difference: at < length ? 4 * at : undefined };
  }
}

/** Where CPython has no memory left for the exception either, it complains that one is missing. */
const LOST_EXCEPTION = /^SystemError: .*without (exception set|setting an exception)/;

function statusOf(end: GuestStop | string, stderr: string, full: boolean): PythonStatus {
  if (typeof end === "string") return "crash";
  if (end.reason !== "exit") return end.reason;
  if (end.code === 0) return "ok";
  const last = stderr.trimEnd().split("\n").at(-1) ?? "";
  return /^MemoryError\b/.test(last) || (full && LOST_EXCEPTION.test(last)) ? "oom" : "error";
}

/** Writes the state of `random`'s generator: stream 1 of the call's seed, as `random.seed` of a 256-bit integer. */
function seedRandom(memory: WebAssembly.Memory, address: number, seed: string): void {
  const source = new Philox(seed, 1);
  const view = new DataView(memory.buffer);
  view.setUint32(address, 624, true);
  const key = Array.from({ length: 8 }, () => source.u32());
  for (const [index, word] of twisterState(key).entries()) view.setUint32(address + 4 + 4 * index, word, true);
}
