import type { Dataset, DatasetRequest } from "../data/dataset";
import type { AnswerSample } from "../eval/answer-sample";
import type { When2CallReport } from "../eval/choices/run";
import type { TEvalReport } from "../eval/t-eval/run";
import type { ExportDtype } from "../model/export";
import type { EvalOptions, SampleOptions } from "../options/evaluate";
import type { PlanOptions } from "../options/plan";
import type { DpoOptions, PretrainOptions, SftOptions } from "../options/supervised";
import type { TrainOptions } from "../options/train";
import type { EvalReport, RunnerContext, TrainingContext } from "../run/context";
import type { EngineName, PythonEngine } from "../sandbox/engine";
import type { TrainSummary } from "../session/events";
import type { Tokenizer } from "../text/tokenizer";
import type { MemoryPlan } from "../train/memory-plan";
import type { CliIo } from "./io";

/** What `eval --bench` found. */
export type BenchReport = (When2CallReport | TEvalReport) & Pick<EvalReport, "outputDir" | "seconds">;

/** Which Python the tool commands use. */
export interface ToolRequest {
  readonly engine: EngineName;
  /** Address of the service of engine http. */
  readonly url: string | null;
  readonly memoryMb: number;
  /** Folder or zip of pure Python packages for engine wasi. */
  readonly packages: string | null;
  /** Programs that run at once; null: what suits the machine. */
  readonly workerCount: number | null;
}

/** Where a split of a named data set is, or can be had. */
export interface DatasetLocation {
  readonly name: string;
  readonly split: string;
  readonly kind: "local" | "cached" | "hub" | "absent";
  /** Paths, or the repository on the hub. */
  readonly files: readonly string[];
}

export interface BenchRequest {
  readonly adapter: string | null;
  readonly toggles: "safe" | "fast";
  /** A part of the names of the cases to run. */
  readonly filter: string | null;
  readonly json: boolean;
}

/** What `parity` computes on. */
export interface ParityRequest {
  /** Folder of the model. */
  readonly model: string;
  /** JSON files with token ids and with coefficients of the same shape. */
  readonly ids: string;
  readonly coef: string | null;
  /** The safetensors file to write. */
  readonly out: string;
  readonly dtype: TrainOptions["dtype"];
  readonly adapter: string | null;
  readonly toggles: "safe" | "fast";
}

export interface ParityReport {
  readonly out: string;
  readonly sequences: number;
  readonly tokens: number;
  readonly tensors: number;
  readonly bytes: number;
}

/** What `export` writes. */
export interface ExportRequest {
  /** Model folder, run folder, PEFT folder or name. */
  readonly model: string;
  /** A new folder. */
  readonly output: string;
  readonly dtype: ExportDtype;
  /** Only the adapter, as a PEFT folder. */
  readonly adapterOnly: boolean;
}

export interface ExportReport {
  readonly output: string;
  /** The checkpoint that was read. */
  readonly model: string;
  /** Whether an adapter was merged. */
  readonly merged: boolean;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** What `view` shows, and how. */
export interface ViewRequest {
  readonly runFolder: string;
  /** The file to write; null: serve the page. */
  readonly output: string | null;
  /** 0: a free one. */
  readonly port: number;
  /** Show it in the user's browser. */
  readonly open: boolean;
  readonly rolloutsPerStep: number;
  readonly maxSizeMb: number;
}

export interface ViewWatch {
  /** Aborted by Ctrl-C: stop serving. */
  readonly signal: AbortSignal;
  readonly onServing: (address: string) => void;
}

/** A file was written, or the page was served until the end. */
export type ViewEnd =
  | {
      readonly event: "report";
      readonly path: string;
      readonly bytes: number;
      readonly rolloutSteps: number;
      readonly rollouts: number;
    }
  | { readonly event: "closed"; readonly address: string };

/**
 * The work behind the commands. The command line knows nothing else of it; a test passes its own.
 * All throw errors named UserError for the user's mistakes.
 */
export interface Runners {
  train(options: TrainOptions, context: TrainingContext): Promise<TrainSummary>;
  pretrain(options: PretrainOptions, context: TrainingContext): Promise<TrainSummary>;
  dpo(options: DpoOptions, context: TrainingContext): Promise<TrainSummary>;
  sft(options: SftOptions, context: TrainingContext): Promise<TrainSummary>;
  /** Shows every trajectory, in the order of the questions, when all have ended. */
  sample(
    options: SampleOptions,
    context: RunnerContext & {
      readonly onSample: (sample: AnswerSample) => void;
      /** Given where the text of an only answer is to be shown as it comes. */
      readonly onText?: (piece: string) => void;
      readonly onProgress: (done: number, total: number) => void;
    },
  ): Promise<void>;
  /** @param onProgress samples done and in all, and which model is on which benchmark */
  eval(
    options: EvalOptions,
    context: RunnerContext & { readonly onProgress: (done: number, total: number, what: string) => void },
  ): Promise<EvalReport>;
  /** `eval --bench`. @param onProgress rows done and in all */
  evalBench(
    options: EvalOptions,
    context: RunnerContext & { readonly onProgress: (done: number, total: number) => void },
  ): Promise<BenchReport>;
  /** @returns the exit code */
  doctor(
    options: { readonly json: boolean; readonly adapter?: string; readonly toggles: "safe" | "fast" },
    io: CliIo,
  ): Promise<number>;
  /** @returns the exit code */
  benchKernels(request: BenchRequest, io: CliIo): Promise<number>;
  /** The tokenizer of a model folder, which may have no weights. */
  openTokenizer(model: string): Promise<Tokenizer>;
  /** The memory plan of a run. */
  plan(options: PlanOptions): Promise<MemoryPlan>;
  export(request: ExportRequest): Promise<ExportReport>;
  parity(request: ParityRequest, context: RunnerContext): Promise<ParityReport>;
  /** Rows of a data set, fetched when it is not here. @param onProgress bytes of a file that is being fetched */
  openDataset(
    request: DatasetRequest,
    onProgress: (file: string, done: number, total: number | undefined) => void,
    signal: AbortSignal,
  ): Promise<Dataset>;
  /** Every split of the registry. */
  locateDatasets(): Promise<DatasetLocation[]>;
  view(request: ViewRequest, watch: ViewWatch): Promise<ViewEnd>;
  /** Python for the tool commands, which close it. */
  openTool(request: ToolRequest): Promise<PythonEngine>;
}
