/** What a run is given beside its options, and what an evaluation gives back: the part of the runners that the library shares. */
import type { EvaluationReport } from "../eval/report";
import type { TrainEvents } from "../session/events";

/** What every runner gets from the command line. */
export interface RunnerContext {
  /** Aborted by the first Ctrl-C: save, then end. */
  readonly signal: AbortSignal;
  /** A remark for the user, such as a fallback adapter. */
  readonly announce: (line: string) => void;
}

export interface TrainingContext extends RunnerContext {
  readonly events: TrainEvents;
}

/** What `eval` found. */
export interface EvalReport extends EvaluationReport {
  /** Where samples and tables lie; null: nowhere. */
  readonly outputDir: string | null;
  readonly seconds: number;
}
