/** Everything that a run of reinforcement learning holds open. */

import type { TrainOptions } from "../options/train";
import type { BestCheckpoint } from "../session/best-checkpoint";
import type { Collector } from "../session/collect";
import type { TrainEvents } from "../session/events";
import type { LoadedModel } from "../session/loaded-model";
import type { EvaluationRow, MetricsRow } from "../session/metrics";
import type { QuestionSource } from "../session/prompts";
import type { RunFolder } from "../session/run-folder";
import type { SelectionState } from "../session/trainer-state";
import type { BatchesAhead } from "./batches-ahead";
import type { EvaluationFigures } from "./evaluation";
import type { Health } from "./health";
import type { Learner } from "./learner";
import type { QuestionSelection } from "./question-selection";
import type { RolloutBatch } from "./rollout-batch";

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
