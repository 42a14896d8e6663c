import type { PythonCall, PythonResult } from "../engine";

/** What the frame is started with. The files are bytes, because a frame of an opaque origin can load nothing. */
export interface StartRequest {
  type: "start";
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  workerCount: number;
  memoryMb: number;
}

/** Messages to the frame's pool. */
export type ToFrame = StartRequest | { type: "run"; id: number; call: PythonCall } | { type: "close" };

/** Messages from it; `open` once it listens, `failed` when it can't start. */
export type FromFrame =
  | { type: "open" }
  | { type: "ready" }
  | { type: "failed"; message: string }
  | { type: "result"; id: number; result: PythonResult };
