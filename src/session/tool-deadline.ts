/** The last resort against an engine that loses a call: the rollout gives it up, and the trajectory goes on with an error. */
import type { PythonRunner } from "../rollout/tool";
import type { PythonEngine } from "../sandbox/engine";

/** Beside each call's own limit, for starting an interpreter on a busy machine. */
const GRACE_MS = 30_000;

/**
 * The engine, whose calls reject when no answer has come although every call before them could have used up its limit on one worker. Engines keep the limits
 * themselves and report them as a status, so this never happens as long as they work.
 */
export function withDeadline(engine: PythonEngine, graceMs = GRACE_MS): PythonRunner {
  return {
    async run(call) {
      const { running, queued } = engine.waiting();
      const patience = (running + queued + 1) * (call.timeoutMs + graceMs);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`Python gave no answer in ${patience / 1000} s`)), patience);
      });
      try {
        return await Promise.race([engine.run(call), late]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
