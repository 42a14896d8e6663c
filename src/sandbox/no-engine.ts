import { admit } from "./calls";
import type { PythonEngine } from "./engine";

/** The engine of a run without tools: every program fails with one sentence. */
export function createNoEngine(): PythonEngine {
  let isClosed = false;
  return {
    async run(call) {
      admit(call, isClosed);
      const stderr = "Python is not available in this run.\n";
      return { status: "error", stdout: "", stderr, ms: 0, queueMs: 0, truncated: false };
    },
    waiting: () => ({ running: 0, queued: 0 }),
    async close() {
      isClosed = true;
    },
  };
}
