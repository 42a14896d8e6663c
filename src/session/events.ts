import type { EvaluationRow, MetricsRow } from "./metrics";

/** What a step is doing; `waitingFor` of {@link PhaseDetail} names what holds it up. */
export type Phase = "setup" | "evaluate" | "rollout" | "reward" | "update" | "save";

/** How far a phase is. All but `step` may be missing. */
export interface PhaseDetail {
  /** Step being made; 0 before the first. */
  readonly step: number;
  readonly done?: number;
  readonly total?: number;
  /** What `done` and `total` count, in the plural: `trajectories`, `micro-batches`. */
  readonly unit?: string;
  readonly tokensPerSecond?: number;
  /** For example `Python (3 calls)` or `the GPU`. */
  readonly waitingFor?: string;
}

/** Known before the first step. */
export interface TrainPlan {
  /** `train` or `pretrain`. */
  readonly command: string;
  readonly model: string;
  readonly parameters: number;
  readonly adapter: string;
  readonly dataset: string;
  /** Steps done already (above 0 when resumed), and steps in all. */
  readonly firstStep: number;
  readonly maxSteps: number;
  /** One line on a step's work: `16 prompts x 8 trajectories`. */
  readonly batch: string;
  readonly runFolder: string;
  /** Further lines: memory, placement. */
  readonly notes?: readonly string[];
}

/** A stretch of a trajectory from one source. */
export interface TranscriptSegment {
  readonly kind: "text" | "code" | "observation";
  readonly text: string;
}

/** A trajectory to be shown. */
export interface Transcript {
  readonly step: number;
  readonly prompt: string;
  /** The right answer, when it may be shown. */
  readonly answer?: string;
  readonly reward?: number;
  readonly segments: readonly TranscriptSegment[];
  readonly finishReason: string;
  /** Tokens that the model sampled. */
  readonly modelTokens: number;
}

/** A trajectory to be shown, with its completion as numbers. */
export interface AnswerSample extends Transcript {
  /** Tokens after the prompt, observations included. */
  readonly ids: readonly number[];
  readonly text: string;
  /** Of each token under the distribution it was drawn from; 0 for observations. */
  readonly logprobs: readonly number[];
}

/** A figure before and after the run. */
export interface SummaryRow {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly unit: "share" | "number";
}

export interface TrainSummary {
  /** `interrupted`: stopped by the user, with all that was done saved. */
  readonly outcome: "finished" | "interrupted";
  readonly step: number;
  readonly seconds: number;
  readonly table: readonly SummaryRow[];
  /** Figures on held-out questions by step: those of evaluation.jsonl. */
  readonly evaluations?: readonly EvaluationRow[];
  readonly runFolder: string;
  /** The page that shows the run; missing when none was written. */
  readonly report?: string;
  /** The checkpoint to go on from; missing when nothing was saved. */
  readonly checkpoint?: string;
  /** The best one by --metric-for-best-model. */
  readonly best?: { readonly path: string; readonly step: number; readonly metric: string; readonly value: number };
  /** Commands worth trying next, with what each shows. */
  readonly next: readonly { readonly command: string; readonly why: string }[];
}

/** What training tells whoever watches: the terminal, the page, a test. Calls come in order and must not throw. */
export interface TrainEvents {
  onPlan(plan: TrainPlan): void;
  onPhase(phase: Phase, detail: PhaseDetail): void;
  onStep(row: MetricsRow): void;
  onSample(sample: Transcript): void;
  onCheckpoint(checkpoint: { readonly step: number; readonly path: string }): void;
  /** A remark for the user, one sentence. */
  onNotice(text: string): void;
  onFinish(summary: TrainSummary): void;
}

/** The watchers of one run as one. */
export function allEvents(...watchers: readonly TrainEvents[]): TrainEvents {
  return {
    onPlan: (plan) => watchers.forEach((watcher) => void watcher.onPlan(plan)),
    onPhase: (phase, detail) => watchers.forEach((watcher) => void watcher.onPhase(phase, detail)),
    onStep: (row) => watchers.forEach((watcher) => void watcher.onStep(row)),
    onSample: (sample) => watchers.forEach((watcher) => void watcher.onSample(sample)),
    onCheckpoint: (checkpoint) => watchers.forEach((watcher) => void watcher.onCheckpoint(checkpoint)),
    onNotice: (text) => watchers.forEach((watcher) => void watcher.onNotice(text)),
    onFinish: (summary) => watchers.forEach((watcher) => void watcher.onFinish(summary)),
  };
}

/** Watches nothing: what a watcher of some of the events leaves the others to. */
export const silentEvents: TrainEvents = {
  onPlan() {},
  onPhase() {},
  onStep() {},
  onSample() {},
  onCheckpoint() {},
  onNotice() {},
  onFinish() {},
};

/** Tells the watcher of a file that is being fetched before the first step. */
export function downloadProgress(events: TrainEvents): (file: string, done: number, total: number | undefined) => void {
  const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;
  return (file, done, total) =>
    events.onPhase("setup", {
      step: 0,
      done: megabytes(done),
      unit: "MB",
      ...(total === undefined ? {} : { total: megabytes(total) }),
      waitingFor: file,
    });
}
