import type { PythonCall, PythonResult } from "../engine";

/** Messages to the sandbox process. */
export type ToChild =
  | {
      type: "init";
      assetFolder: string;
      workerPath: string;
      /** Flags of Node for the worker threads. */
      workerFlags: string[];
      workerCount: number;
      memoryMb: number;
    }
  | { type: "run"; id: number; call: PythonCall };

/** Messages from it; `failed` is its last one, when it can't start. */
export type FromChild =
  | { type: "ready"; residentMb: number }
  | { type: "failed"; message: string; user: boolean }
  /** `residentMb`: memory of the process after the call. */
  | { type: "result"; id: number; result: PythonResult; residentMb: number };
