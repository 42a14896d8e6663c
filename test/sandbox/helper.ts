import { DEFAULT_LIMITS, type PythonCall, type PythonEngine, type PythonResult } from "../../src/sandbox/engine";

/** Runs a program with generous time and a fixed seed, unless told otherwise. */
export function runner(engine: () => Pick<PythonEngine, "run">) {
  return (code: string, limits: Partial<PythonCall> = {}): Promise<PythonResult> =>
    engine().run({ ...DEFAULT_LIMITS, timeoutMs: 60_000, seed: "test", ...limits, code });
}

/** Waits until a condition holds; false when it does not within the time. */
export async function until(condition: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return condition();
}
