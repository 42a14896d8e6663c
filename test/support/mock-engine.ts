import type { PythonCall, PythonEngine, PythonResult } from "../../src/sandbox/engine";

/** What a test wants a program to give: its stdout, or any part of a result. */
export type MockAnswer = string | Partial<PythonResult>;

/** An engine in which a function takes the place of Python. A throw in it becomes a result with status `error`. */
export function createMockEngine(answer: (call: PythonCall) => MockAnswer | Promise<MockAnswer>): PythonEngine {
  let running = 0;
  let closed = false;
  return {
    run: async (call) => {
      if (closed) throw new Error("The Python engine is closed.");
      running++;
      const result: PythonResult = { status: "ok", stdout: "", stderr: "", ms: 0, queueMs: 0, truncated: false };
      try {
        const given = await answer(call);
        return { ...result, ...(typeof given === "string" ? { stdout: given } : given) };
      } catch (error) {
        return { ...result, status: "error", stderr: `${error instanceof Error ? error.message : error}\n` };
      } finally {
        running--;
      }
    },
    waiting: () => ({ running, queued: 0 }),
    close: async () => {
      closed = true;
    },
  };
}
