import { BINARY, UNARY } from "../libm/index";
import { Errno, WasiError } from "./abi";
import { fdCalls } from "./fd-calls";
import { type Guest, type GuestAccess, type GuestCalls, type GuestOptions, newGuest } from "./guest";
import { GuestMemory } from "./memory";
import { pathCalls } from "./path-calls";
import { processCalls } from "./process-calls";

/** Pure functions of numbers, which can neither see nor change anything. */
const LIBM: WebAssembly.ModuleImports = { ...UNARY, ...BINARY };

/**
 * The imports of `wasi_snapshot_preview1`. There is no socket, no environment variable and no file of the host behind
 * them. An instance keeps its imports, so they look up the present guest on every call.
 */
export class WasiHost implements GuestAccess {
  #guest: Guest | undefined;
  #memory: GuestMemory | undefined;
  onStdin: () => boolean = () => false;

  /** Starts a new life: no file, output, clock or descriptor of the one before remains. */
  begin(options: GuestOptions): Guest {
    this.#guest = newGuest(options);
    return this.#guest;
  }

  attach(memory: WebAssembly.Memory): void {
    this.#memory = new GuestMemory(memory);
  }

  get guest(): Guest {
    if (this.#guest === undefined) throw new Error("WasiHost: begin() was not called");
    return this.#guest;
  }

  get memory(): GuestMemory {
    if (this.#memory === undefined) throw new Error("WasiHost: attach() was not called");
    return this.#memory;
  }

  /**
   * The import object for `new WebAssembly.Instance`. Functions of the interface that are missing here answer ENOSYS.
   */
  imports(module: WebAssembly.Module): WebAssembly.Imports {
    const calls: GuestCalls = { ...processCalls(this), ...fdCalls(this), ...pathCalls(this) };
    const table: WebAssembly.ModuleImports = Object.create(null);
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      if (from === "libm" && Object.hasOwn(LIBM, name)) continue;
      if (from !== "wasi_snapshot_preview1" || kind !== "function")
        throw new Error(`the wasm module imports ${from}.${name}, which the sandbox does not offer`);
      const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
      table[name] = call === undefined ? () => Errno.NOSYS : guarded(call);
    }
    return { wasi_snapshot_preview1: table, libm: LIBM };
  }
}

/** Turns a refusal into its errno; anything else ends the guest. */
function guarded(call: GuestCalls[string]): (...args: never[]) => number {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      if (error instanceof WasiError) return error.errno;
      throw error;
    }
  };
}
