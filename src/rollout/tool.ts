import type { PythonCall, PythonEngine, PythonResult } from "../sandbox/engine";
import { OVERLONG_NOTICE, observationText, wrapObservation } from "../sandbox/observation";
import type { TokenizerView } from "./tokenizer";

/** The Python engine as the rollout uses it. */
export type PythonRunner = Pick<PythonEngine, "run">;

/** In the log of a call that failed because of the engine, not the code: fixed, so that equal runs stay equal. */
export const ENGINE_FAILED = "The code could not be run.";

/** Text and ids of one observation. */
export interface Observation {
  text: string;
  ids: Uint32Array;
}

/** A result as ZeroTIR shows it to the model. */
export function zerotirObservation(result: PythonResult): string {
  return wrapObservation(observationText(result));
}

/**
 * Observation of a result, tokenised on its own. If it has more than `maxTokens` tokens, fences included, its content is
 * replaced by {@link OVERLONG_NOTICE} in the same fences (whose own length is not limited).
 */
export function observe(
  result: PythonResult,
  format: (result: PythonResult) => string,
  tokenizer: TokenizerView,
  maxTokens: number,
): Observation {
  const text = format(result);
  const ids = tokenizer.encodePlain(text);
  if (ids.length <= maxTokens) return { text, ids };
  const notice = format({ ...result, status: "ok", stdout: OVERLONG_NOTICE, stderr: "", truncated: false });
  return { text: notice, ids: tokenizer.encodePlain(notice) };
}

/** Runs a call; an engine that throws, rejects or is dead gives a `crash` result, and its error goes to `onError`. */
export async function runPython(
  engine: PythonRunner,
  call: PythonCall,
  onError: (error: unknown) => void,
): Promise<PythonResult> {
  try {
    return await engine.run(call);
  } catch (error) {
    onError(error);
    return { status: "crash", stdout: "", stderr: ENGINE_FAILED, ms: 0, queueMs: 0, truncated: false };
  }
}
