/** What an evaluation found. */
import type { Figures } from "./figures";
import type { PublishedFigure } from "./published";

/** One combination. */
export interface Cell {
  readonly model: string;
  readonly label: string;
  readonly benchmark: string;
  /** N_max. */
  readonly maxToolCalls: number;
  /** Null when a sample is missing because the evaluation was stopped. */
  readonly figures: Figures | null;
}

export interface EvaluationReport {
  /** False: stopped before all samples were there. */
  readonly finished: boolean;
  /** K. */
  readonly generations: number;
  readonly greedy: boolean;
  readonly seed: number;
  /** Samples of this report, and those of them that an earlier call had left. */
  readonly samples: number;
  readonly resumed: number;
  readonly cells: readonly Cell[];
  /** Figures of others for these benchmarks. */
  readonly published: readonly PublishedFigure[];
}
