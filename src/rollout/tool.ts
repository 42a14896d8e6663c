import type { PythonCall, PythonEngine, PythonResult } from "../sandbox/engine";
import { OVERLONG_NOTICE, observationText, wrapObservation } from "../sandbox/observation";
import type { TokenizerView } from "./tokenizer";
import { PYTHON_PROTOCOL } from "./turns";
import type { Observation, World } from "./world";

/** The Python engine as the rollout uses it. */
export type PythonRunner = Pick<PythonEngine, "run">;

/** How Python is asked, and how its answers are shown. */
export interface PythonSettings {
  tokenizer: TokenizerView;
  /** Text of an observation, its fences included; default: {@link zerotirObservation}. */
  formatObservation?: (result: PythonResult) => string;
  /** Observations of more tokens are replaced by a notice. */
  maxToolResponseTokens: number;
  /** Limits of one call. */
  tool: { timeoutMs: number; memoryMb: number; maxOutputBytes: number };
  /** With the trajectory's id and the number of the call, the entropy of a call. */
  seed: string;
}

/** In the log of a call that failed because of the engine, not the code: fixed, so that equal runs stay equal. */
export const ENGINE_FAILED = "The code could not be run.";

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

/** Python for every trajectory, each call on its own. @param onError is told when the engine itself failed */
export function pythonWorld(
  engine: PythonRunner,
  { tokenizer, formatObservation = zerotirObservation, maxToolResponseTokens, tool, seed }: PythonSettings,
  onError: (error: unknown, trajectoryId: number) => void = () => {},
): World {
  return {
    protocol: PYTHON_PROTOCOL,
    async act(id, index, action) {
      const code = action.kind === "execute" ? action.code : action.text;
      const call = { code, ...tool, seed: `${seed}/${id}/${index}` };
      const result = await runPython(engine, call, (error) => onError(error, id));
      const { status, stdout, stderr, ms, queueMs } = result;
      return {
        observation: observe(result, formatObservation, tokenizer, maxToolResponseTokens),
        record: { code, status, stdout, stderr, ms, queueMs },
      };
    },
  };
}
