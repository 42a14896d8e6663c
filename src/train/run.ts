/** Everything that a run of reinforcement learning holds open. */

import type { BatchesAhead } from "./batch/batches-ahead";
import type { Collector } from "./batch/collect";
import type { RolloutBatch } from "./batch/rollout-batch";
import type { EvaluationFigures } from "./evaluation";
import type { TrainOptions } from "./options/options";
import type { QuestionSource } from "./questions/prompts";
import type { QuestionSelection, SelectionState } from "./questions/question-selection";
import type { BestCheckpoint } from "./run/best-checkpoint";
import type { TrainEvents } from "./run/events";
import type { Health } from "./run/health";
import type { EvaluationRow, MetricsRow } from "./run/metrics";
import type { LoadedModel } from "./run/policy";
import type { RunFolder } from "./run/run-folder";
import type { Learner } from "./update/learner";

/** Options of a run whose folder has been decided. */
export type PlacedTrainOptions = Omit<TrainOptions, "outputDir"> & { readonly outputDir: string };

/** Where questions and batches stood when a step ended: the next step, which may be stopped midway, moves both. */
export interface StepBoundary {
  readonly selection: SelectionState;
  readonly ahead: RolloutBatch | undefined;
}

export interface Run {
  readonly options: PlacedTrainOptions;
  readonly events: TrainEvents;
  readonly loaded: LoadedModel;
  readonly collector: Collector;
  readonly learner: Learner;
  readonly questions: QuestionSource;
  readonly selection: QuestionSelection;
  readonly batches: BatchesAhead;
  readonly folder: RunFolder;
  readonly health: Health;
  readonly signal: AbortSignal | undefined;
  /** What a checkpoint of the last finished step holds beside model and moments. */
  boundary: StepBoundary;
  numTokens: number;
  /** Steps in a row in which every update was left out. */
  skippedSteps: number;
  /** Of the last finished step. */
  lastRow: MetricsRow | undefined;
  lastSaved: string | undefined;
  best: BestCheckpoint | undefined;
  /** Whether the metric of the best checkpoint was looked for already. */
  saidMissing: boolean;
  /** Rows of evaluation.jsonl, and the newest figures. */
  evaluations: readonly EvaluationRow[];
  evaluated: { readonly step: number; readonly figures: EvaluationFigures } | undefined;
}
