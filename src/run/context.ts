/**
 * What a use case is given beside its options, and what an evaluation gives back. The library's declarations name these
 * types, and programs that use it know none of a GPU: so nothing that names one may be imported here.
 */
import type { EvaluationReport } from "../eval/report";
import type { TrainEvents } from "../session/events";

/** How the caller can stop the work, and what it is told meanwhile. */
export interface RunContext {
  /** Aborted by the first Ctrl-C: save, then end. */
  readonly signal: AbortSignal;
  /** A remark for the user, such as a fallback adapter. */
  readonly announce: (line: string) => void;
}

export interface TrainingContext extends RunContext {
  readonly events: TrainEvents;
}

/** What a call of `eval` says beside its figures. */
export interface EvalCall {
  /** Where samples and tables lie; null: nowhere. */
  readonly outputDir: string | null;
  readonly seconds: number;
}

/** What `eval` found. */
export interface EvalReport extends EvaluationReport, EvalCall {}
