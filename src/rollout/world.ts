/** World: what answers the actions of trajectories. Its interface, and Python as the world of every trajectory. */
import type { PythonCall, PythonEngine, PythonResult } from "../sandbox/engine";
import { OVERLONG_NOTICE } from "../sandbox/observation";
import type { TokenizerView } from "./tokenizer";
import type { FinishReason, ToolRecord } from "./trajectory";
import { type Action, PYTHON_PROTOCOL, type TurnProtocol } from "./turns";

/** Text and ids of one observation. */
export interface Observation {
  text: string;
  ids: Uint32Array;
}

/** What a world says to an action. */
export interface Reply {
  readonly observation: Observation;
  readonly record: Omit<ToolRecord, "observation">;
  /** The trajectory ends here, and the observation is not appended. */
  readonly ended?: FinishReason;
}

/** What trajectories act on: Python, or environments of the user's. */
export interface World {
  readonly protocol: TurnProtocol;
  /**
   * Answers action number `index` (from 0) of a trajectory, while the others go on decoding. The answer must follow
   * from the trajectory's actions so far and its id, never from time. A rejection ends the rollout.
   */
  act(trajectoryId: number, index: number, action: Action): Promise<Reply>;
}

/** The Python engine as the rollout uses it. */
export type PythonRunner = Pick<PythonEngine, "run">;

/** How Python is asked, and how its answers are shown. */
export interface PythonSettings {
  tokenizer: TokenizerView;
  /** Text of an observation, its fences included. */
  formatObservation: (result: PythonResult) => string;
  /** Observations of more tokens are replaced by a notice. */
  maxToolResponseTokens: number;
  /** Limits of one call. */
  tool: { timeoutMs: number; memoryMb: number; maxOutputBytes: number };
  /** With the trajectory's id and the number of the call, the entropy of a call. */
  seed: string;
}

/** In the log of a call that failed because of the engine, not the code: fixed, so that equal runs stay equal. */
export const ENGINE_FAILED = "The code could not be run.";

/**
 * Observation of a result, tokenised on its own. If it has more than `maxTokens` tokens, fences included, its content
 * is replaced by {@link OVERLONG_NOTICE} in the same fences (whose own length is not limited).
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
  { tokenizer, formatObservation, maxToolResponseTokens, tool, seed }: PythonSettings,
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

/** Beside each call's own limit, for starting an interpreter on a busy machine. */
const GRACE_MS = 30_000;

/**
 * The engine, whose calls reject when no answer has come although every call before them could have used up its limit
 * on one worker. Engines keep the limits themselves and report them as a status, so this never happens as long as they
 * work: it is the last resort against one that loses a call.
 */
export function withDeadline(engine: PythonEngine, graceMs = GRACE_MS): PythonRunner {
  return {
    async run(call) {
      const { running, queued } = engine.waiting();
      const patience = (running + queued + 1) * (call.timeoutMs + graceMs);
      const late = () => new Error(`Python gave no answer in ${patience / 1000} s`);
      return within(patience, late, () => engine.run(call));
    },
  };
}

/**
 * What `work` gives; rejects with `late()` when that takes longer. It ends the wait only: no limit can end a loop in
 * the same thread.
 */
export async function within<Value>(ms: number, late: () => Error, work: () => Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work(), expired]);
  } finally {
    clearTimeout(timer);
  }
}
