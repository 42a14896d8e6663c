/** When2Call on a checkpoint: rows in, log-likelihoods of their answers, figures out. */

import { UserError } from "../../base/errors";
import { at } from "../../base/must";
import { type FolderReader, readCheckpoint } from "../../model/folder";
import { Model } from "../../model/model";
import { SequenceScorer } from "../../model/sequence-scorer";
import type { EvalOptions } from "../../options/evaluate";
import type { TrainingHost } from "../../session/host";
import { LOGITS_BYTES, loadTokenizerOf, refuseMismatch } from "../../session/loaded-model";
import { requestOf } from "../../session/questions";
import type { RunFiles } from "../../session/run-folder";
import { chatTemplate } from "../../text/chat-template";
import {
  type Behaviour,
  behaviours,
  type ChoiceFigures,
  choiceFigures,
  chosen,
  chosenNormalised,
  type ScoredChoices,
} from "./metrics";
import { type EncodedRow, encodeRow, scoreRow, type When2CallRow, when2CallPrompt, when2CallRow } from "./when2call";

export interface When2CallReport {
  readonly bench: "when2call";
  readonly model: string;
  readonly dataset: string;
  /** How prompts were made. */
  readonly prompt: "chat template" | "plain text";
  /** Of the model; a row needs as many as its prompt and its longest answer have tokens. */
  readonly positions: number;
  /** Rows asked for. */
  readonly rows: number;
  /** Rows left out because they need more positions than the model has. */
  readonly skipped: number;
  /** Tokens of the row that needs the most positions, left out or not. */
  readonly longest: number;
  /** Of the rows that were scored. */
  readonly figures: ChoiceFigures;
  /** Whether all rows that fit were scored. */
  readonly finished: boolean;
}

/** A line of when2call.jsonl. */
export interface When2CallItem {
  readonly id: string;
  readonly gold: Behaviour;
  readonly chosen: Behaviour;
  readonly chosen_normalised: Behaviour;
  /** Sum of log-probs, by behaviour. */
  readonly log_likelihood: Readonly<Record<string, number>>;
  readonly characters: Readonly<Record<string, number>>;
  readonly tools: number;
  readonly prompt_tokens: number;
}

const DATASET = "when2call-test";
const ITEMS = "when2call.jsonl";
const REPORT = "when2call.json";

/**
 * @param folder of the model
 * @param files where items and report are written, in place of earlier ones; undefined: nowhere
 * @throws UserError when the model has no tokenizer, or too few positions for every row
 */
export async function runWhen2Call(
  options: EvalOptions,
  host: TrainingHost,
  folder: FolderReader,
  files: RunFiles | undefined,
  hooks: { readonly signal?: AbortSignal; onProgress(done: number, total: number): void },
): Promise<When2CallReport> {
  const dataset = options.dataset[0] ?? DATASET;
  const rows = await readRows(dataset, options, host);
  const checkpoint = await readCheckpoint(folder);
  const { tokenizer } = await loadTokenizerOf(folder);
  const template = chatTemplate(checkpoint.companions);
  const positions = checkpoint.config.maxPositions;
  const encoded = rows.map((row) => encodeRow(row, when2CallPrompt(row, template), tokenizer));
  const fitting = encoded.filter(({ tokens }) => tokens <= positions);
  const length = Math.max(0, ...fitting.map(({ tokens }) => tokens));
  if (fitting.length === 0)
    throw new UserError(
      `${folder.path}: the model has ${positions} positions, and the shortest of ${rows.length} rows of ${dataset} needs ${Math.min(...encoded.map(({ tokens }) => tokens))}; choose a model with more`,
    );
  refuseMismatch(folder.path, checkpoint.config, tokenizer, length, "the longest row needs");
  const gpu = await host.openGpu(options);
  const model = new Model(gpu, checkpoint.config, length, { vocabulary: tokenizer.vocabularySize });
  await model.load(checkpoint);
  const scored: ScoredChoices[] = [];
  const scorer = new SequenceScorer(model, length, LOGITS_BYTES);
  try {
    await files?.write(ITEMS, "");
    for (const row of fitting) {
      hooks.onProgress(scored.length, fitting.length);
      if (hooks.signal?.aborted === true) break;
      const choices = await scoreRow(row, scorer);
      scored.push(choices);
      await files?.append(ITEMS, `${JSON.stringify(itemOf(row, choices))}\n`);
    }
    gpu.assertHealthy();
  } finally {
    scorer.destroy();
    model.destroy();
  }
  // Stopped by the user before there was a figure.
  if (scored.length === 0) hooks.signal?.throwIfAborted();
  const report: When2CallReport = {
    bench: "when2call",
    model: folder.path,
    dataset,
    prompt: template === undefined ? "plain text" : "chat template",
    positions,
    rows: rows.length,
    skipped: rows.length - fitting.length,
    longest: Math.max(...encoded.map(({ tokens }) => tokens)),
    figures: choiceFigures(scored),
    finished: scored.length === fitting.length,
  };
  await files?.write(REPORT, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

async function readRows(dataset: string, options: EvalOptions, host: TrainingHost): Promise<When2CallRow[]> {
  const { rows } = await host.loadDataset(requestOf({ ...options, dataset }, "eval"));
  return rows
    .slice(0, options.evalSamples ?? rows.length)
    .map(({ prompt, answer, columns }, index) =>
      when2CallRow({ ...columns, problem: prompt, answer }, `${dataset}, row ${index + 1}`),
    );
}

function itemOf({ row, prompt }: EncodedRow, choices: ScoredChoices): When2CallItem {
  const byBehaviour = (values: readonly number[]) =>
    Object.fromEntries(behaviours.map((name, index) => [name, at(values, index)]));
  return {
    id: row.id,
    gold: row.gold,
    chosen: chosen(choices.logLikelihoods),
    chosen_normalised: chosenNormalised(choices),
    log_likelihood: byBehaviour(choices.logLikelihoods),
    characters: byBehaviour(choices.lengths),
    tools: row.tools.length,
    prompt_tokens: prompt.length,
  };
}
