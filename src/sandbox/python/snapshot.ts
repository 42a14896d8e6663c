/**
 * Makes the memory image from which every call starts. CPython is started once and stopped where it waits for the
 * first byte of its program; its C frames are then unwound into a buffer (Asyncify), so that the whole state of the
 * interpreter is one block of memory and one number, the stack pointer.
 */
import { GuestStop } from "../wasi/guest";
import { WasiHost } from "../wasi/host";
import { BOOT_ENVIRONMENT, BOOT_FILES, MARK_SEED, PYTHON_ARGS } from "./bootstrap";
import { twisterState } from "./twister";
import { PAGE } from "./wasm-binary";

/** Bytes for the unwound frames; about 3 KiB are used. */
const UNWIND_BYTES = PAGE;

export interface SnapshotFacts {
  /** Pages of the image, 64 KiB each. */
  pages: number;
  /** The C stack grows down from `top`; reaching `bottom` is a trap. */
  stack: { top: number; bottom: number };
  /** Where the stack pointer stands in the image. */
  stackPointer: number;
  /** Address of Asyncify's two words: where the unwound frames begin and end. */
  unwind: number;
  /** Address of the 32-bit index and the 624 words of `random`'s generator. */
  random: number;
}

interface BootExports {
  memory: WebAssembly.Memory;
  start(): void;
  call(name: string, ...args: number[]): void;
  global(name: string): number;
}

function instantiate(module: WebAssembly.Module, host: WasiHost): BootExports {
  const { exports } = new WebAssembly.Instance(module, host.imports(module));
  const { memory } = exports;
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("snapshot: the module exports no memory");
  host.attach(memory);
  const call = (name: string, ...args: number[]) => {
    const run = exports[name];
    if (typeof run !== "function") throw new Error(`snapshot: the module exports no function ${name}`);
    run(...args);
  };
  const global = (name: string) => {
    const value = exports[name];
    if (!(value instanceof WebAssembly.Global)) throw new Error(`snapshot: the module exports no global ${name}`);
    return Number(value.value);
  };
  return { memory, start: () => call("_start"), call, global };
}

function beginBoot(host: WasiHost, files: ReadonlyMap<string, Uint8Array>) {
  return host.begin({
    args: PYTHON_ARGS,
    environment: BOOT_ENVIRONMENT,
    stdin: new Uint8Array(0),
    files,
    seed: "snapshot",
    maxOutputBytes: 1 << 20,
    outputStops: { stdout: 1 << 20, stderr: 1 << 20 },
    timeoutMs: Number.POSITIVE_INFINITY,
  });
}

/** The indices of the functions on the stack when the program is first read, from a module without Asyncify. */
export function framesAtStdin(module: WebAssembly.Module): number[] {
  const host = new WasiHost();
  const guest = beginBoot(host, BOOT_FILES);
  let frames: number[] = [];
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1000;
  host.onStdin = () => {
    const stack = new Error("frames").stack ?? "";
    frames = [...stack.matchAll(/wasm-function\[(\d+)\]/g)].map((match) => Number(match[1]));
    throw new GuestStop("exit", 0);
  };
  try {
    instantiate(module, host).start();
  } catch (error) {
    if (!(error instanceof GuestStop)) throw error;
  } finally {
    Error.stackTraceLimit = limit;
  }
  if (frames.length === 0) throw new Error(`snapshot: Python never read its program\n${guest.stderr.text()}`);
  return [...new Set(frames)];
}

/**
 * Starts the instrumented module, stops it at its first read of stdin, and returns its memory.
 *
 * @param files what it finds while it starts, by absolute path
 * @param initial the memory it starts with, for a module whose data has been taken out
 */
export function makeSnapshot(
  module: WebAssembly.Module,
  stack: SnapshotFacts["stack"],
  files: ReadonlyMap<string, Uint8Array> = BOOT_FILES,
  initial?: Uint8Array,
): { image: Uint8Array; facts: SnapshotFacts; initial: Uint8Array } {
  const host = new WasiHost();
  const guest = beginBoot(host, files);
  const run = instantiate(module, host);
  if (initial !== undefined) new Uint8Array(run.memory.buffer).set(initial);
  const before = new Uint8Array(run.memory.buffer).slice();
  run.call("__set_stack_limits", stack.top, stack.bottom);
  let unwind = 0;
  host.onStdin = () => {
    if (unwind !== 0) return false;
    unwind = run.memory.grow(UNWIND_BYTES / PAGE) * PAGE;
    const words = new Uint32Array(run.memory.buffer, unwind, 2);
    words.set([unwind + 8, unwind + UNWIND_BYTES]);
    run.call("asyncify_start_unwind", unwind);
    return true;
  };
  run.start();
  if (unwind === 0) throw new Error(`snapshot: Python never read its program\n${guest.stderr.text()}`);
  run.call("asyncify_stop_unwind");
  const complaints = guest.stderr.text();
  if (complaints !== "") throw new Error(`snapshot: Python wrote to stderr while it started:\n${complaints}`);
  const open = guest.descriptors.numbers().join();
  if (open !== "0,1,2,3") throw new Error(`snapshot: files were left open (descriptors ${open})`);
  const image = new Uint8Array(run.memory.buffer).slice();
  const facts = {
    pages: image.length / PAGE,
    stack,
    stackPointer: run.global("stack_pointer"),
    unwind,
    random: Number(guest.stdout.text()) + 8,
  };
  checkRandom(image, facts.random);
  return { image, facts, initial: before };
}

/** Fails when the words at the address are not those of a generator seeded with the mark. */
function checkRandom(image: Uint8Array, address: number): void {
  const view = new DataView(image.buffer, image.byteOffset);
  const expected = twisterState([MARK_SEED]);
  const same =
    view.getUint32(address, true) === 624 &&
    expected.every((word, index) => view.getUint32(address + 4 + 4 * index, true) === word);
  if (!same) throw new Error("snapshot: the state of random's generator is not where it was expected");
}
