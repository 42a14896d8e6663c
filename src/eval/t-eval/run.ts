/** T-Eval over predictions that a file holds or a model makes. */
import { UserError } from "../../base/errors";
import { mean } from "../../base/statistics";
import type { TrainingHost } from "../../session/host";
import type { RunFiles } from "../../session/run-folder";
import { type SentenceEncoder, spellingEncoder } from "./encoder";
import { predictionKey, type TEvalSample, tEvalFiles, tEvalPredictions, tEvalSamples, tEvalSets } from "./files";
import { type Ability, type AbilityScore, abilities, scoreSample } from "./score-sample";

export interface TEvalReport {
  readonly bench: "teval";
  /** Folder of the data. */
  readonly dataset: string;
  /** Null: those in the files, or the model's. */
  readonly predictions: string | null;
  /** What answered; null: predictions were given. */
  readonly model: string | null;
  /** Samples of the files. */
  readonly rows: number;
  /** Those without a prediction, or with a prompt that does not fit the model. */
  readonly skipped: number;
  /** What compared texts, for Plan, Reason and all that they enter. */
  readonly encoder: string;
  /** Whether Plan, Reason and the overall score may be held against published figures. */
  readonly comparable: boolean;
  readonly figures: TEvalFigures;
}

export interface TEvalSettings {
  readonly tevalDir: string;
  /** Null: the files hold the predictions themselves. */
  readonly predictions: string | null;
  /** Samples taken from the start of each file; null: all. */
  readonly evalSamples: number | null;
}

/** A model that answers samples. */
export interface TEvalAnswerer {
  readonly model: string;
  /** @param onAnswers is given samples with their predictions as they come */
  answer(
    samples: readonly TEvalSample[],
    onAnswers: (answered: readonly TEvalSample[]) => Promise<void>,
  ): Promise<void>;
}

const PREDICTIONS = "predictions.jsonl";
const ITEMS = "teval.jsonl";
const REPORT = "teval.json";

/**
 * @param answerer answers every sample, whatever predictions there are
 * @param files where items and report are written, in place of earlier ones; undefined: nowhere
 */
export async function runTEval(
  { tevalDir, predictions, evalSamples }: TEvalSettings,
  host: Pick<TrainingHost, "readText" | "runFiles">,
  files: RunFiles | undefined,
  hooks: { readonly signal?: AbortSignal; onProgress(done: number, total: number): void },
  answerer?: TEvalAnswerer,
  encoder: SentenceEncoder = spellingEncoder,
): Promise<TEvalReport> {
  const read: TEvalSample[] = [];
  for (const [set, name] of tEvalFiles(await host.runFiles(tevalDir).list(""), tevalDir)) {
    const path = `${tevalDir}/${name}`;
    read.push(...tEvalSamples(set, await host.readText(path), path));
  }
  const paired = predictions === null ? read : withPredictions(read, predictions, await host.readText(predictions));
  const samples = tEvalSets.flatMap((set) =>
    paired.filter((sample) => sample.set === set).slice(0, evalSamples ?? paired.length),
  );
  const answered =
    answerer === undefined
      ? samples.filter(({ prediction }) => prediction !== undefined)
      : await answersOf(answerer, samples, files);
  if (answered.length === 0)
    throw new UserError(
      `no sample of ${tevalDir} has a prediction; give them with --predictions FILE, lines of {set, id, prediction}`,
    );
  const scores: AbilityScore[] = [];
  const lines: string[] = [];
  let done = 0;
  for (const sample of answered) {
    if (answerer === undefined && done % 100 === 0) hooks.onProgress(done, answered.length);
    hooks.signal?.throwIfAborted();
    const own = await scoreSample(sample, encoder);
    scores.push(...own);
    lines.push(`${JSON.stringify({ set: sample.set, id: sample.id, prediction: sample.prediction, scores: own })}\n`);
    done++;
  }
  const report: TEvalReport = {
    bench: "teval",
    dataset: tevalDir,
    predictions,
    model: answerer?.model ?? null,
    rows: samples.length,
    skipped: samples.length - answered.length,
    encoder: encoder.name,
    comparable: encoder.isComparable,
    figures: tEvalFigures(scores),
  };
  await files?.write(ITEMS, lines);
  await files?.write(REPORT, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** Answers as they come are kept in a file that --predictions takes, for a call that is stopped. */
async function answersOf(
  answerer: TEvalAnswerer,
  samples: readonly TEvalSample[],
  files: RunFiles | undefined,
): Promise<TEvalSample[]> {
  const all: TEvalSample[] = [];
  await files?.write(PREDICTIONS, "");
  await answerer.answer(samples, async (answered) => {
    all.push(...answered);
    const lines = answered.map(({ set, id, prediction }) => `${JSON.stringify({ set, id, prediction })}\n`);
    await files?.append(PREDICTIONS, lines.join(""));
  });
  return all;
}

/** @throws UserError when a prediction belongs to no sample */
function withPredictions(samples: readonly TEvalSample[], file: string, text: string): TEvalSample[] {
  const predictions = tEvalPredictions(text, file);
  const paired = samples.map((sample) => {
    const key = predictionKey(sample.set, sample.id);
    const prediction = predictions.get(key);
    predictions.delete(key);
    return { ...sample, prediction };
  });
  const [unknown] = predictions.keys();
  if (unknown !== undefined)
    throw new UserError(`${file}: ${unknown} is no sample of the folder's files; give the folder that was answered`);
  return paired;
}

export interface AbilityFigures {
  readonly ability: Ability;
  /** Mean over samples of each form; null: there are none, or the ability is not asked for in it. */
  readonly json: number | null;
  readonly str: number | null;
  /** Mean of the forms; null where one is missing. Review has one form. */
  readonly score: number | null;
  readonly samples: number;
}

export interface TEvalFigures {
  readonly abilities: readonly AbilityFigures[];
  /** Mean of the six; null where one is missing. */
  readonly overall: number | null;
}

/** T-Eval's figures from the scores of samples. */
export function tEvalFigures(scores: readonly AbilityScore[]): TEvalFigures {
  const rows = abilities.map((ability): AbilityFigures => {
    const own = scores.filter((score) => score.ability === ability);
    const of = (form: AbilityScore["form"]) =>
      meanOrNull(own.filter((score) => score.form === form).map(({ score }) => score));
    const [json, str] = [of("json"), of("str")];
    return { ability, json, str, score: ability === "review" ? str : meanOfAll([json, str]), samples: own.length };
  });
  return { abilities: rows, overall: meanOfAll(rows.map(({ score }) => score)) };
}

function meanOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : mean(values);
}

function meanOfAll(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length < values.length ? null : meanOrNull(present);
}
