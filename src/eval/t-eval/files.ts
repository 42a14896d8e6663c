/** The files of T-Eval (arXiv 2312.14033): which there are, and their samples. */
import { UserError } from "../../base/errors";
import type { ChatMessage } from "../../text/chat-template";
import { type Fields, isFields } from "./lenient-json";

/** The eight files, by the beginning of their names. */
export const tEvalSets = [
  "instruct",
  "plan_json",
  "plan_str",
  "reason_str",
  "retrieve_str",
  "understand_str",
  "reason_retrieve_understand_json",
  "review_str",
] as const;
export type TEvalSet = (typeof tEvalSets)[number];

export interface TEvalSample {
  readonly set: TEvalSet;
  readonly id: string;
  /** `origin_prompt`: what a model is to answer; empty when the file has none. */
  readonly conversation: readonly ChatMessage[];
  /** `meta_data`, or `meta` as the files of plans have it. */
  readonly meta: Fields;
  /** Names of the keys, or texts around the parts, that the prompt asks for; only Instruct has it. */
  readonly template: Fields;
  readonly groundTruth: unknown;
  /** What a model answered; undefined: nothing is known. */
  readonly prediction: unknown;
  /** File and key, for messages. */
  readonly where: string;
}

/**
 * The file of each set among the names of a folder: `plan_json_v2.json`, `plan_json_v2_subset.json`,
 * `plan_json_v2_zh.json`.
 * @throws UserError when a set has two, or there is none at all
 */
export function tEvalFiles(names: readonly string[], folder: string): ReadonlyMap<TEvalSet, string> {
  const files = new Map<TEvalSet, string>();
  for (const set of tEvalSets) {
    const found = names.filter((name) => new RegExp(`^${set}_v\\d+(?:_subset|_zh)*\\.json$`).test(name));
    if (found.length > 1)
      throw new UserError(
        `${folder}: has ${found.join(" and ")}, which would be mixed; keep files of one version and language in a folder`,
      );
    if (found[0] !== undefined) files.set(set, found[0]);
  }
  if (files.size === 0)
    throw new UserError(`${folder}: no such folder, or no file of T-Eval in it, such as plan_json_v2.json`);
  return files;
}

/** @throws UserError when the text is no such file */
export function tEvalSamples(set: TEvalSet, text: string, file: string): TEvalSample[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UserError(`${file}: not JSON; expected an object of samples by id`);
  }
  if (!isFields(json)) throw new UserError(`${file}: expected an object of samples by id`);
  return Object.entries(json).map(([id, sample]) => {
    const where = `${file}, ${id}`;
    if (!isFields(sample) || sample.ground_truth === undefined)
      throw new UserError(`${where}: expected an object with ground_truth`);
    const fields = (...keys: string[]) => keys.map((key) => sample[key]).find(isFields) ?? {};
    return {
      set,
      id,
      conversation: turns(sample.origin_prompt, where),
      meta: fields("meta_data", "meta"),
      template: fields("template"),
      groundTruth: sample.ground_truth,
      prediction: sample.prediction,
      where,
    };
  });
}

function turns(prompt: unknown, where: string): ChatMessage[] {
  const list: unknown[] = Array.isArray(prompt) ? prompt : [];
  return list.map((turn) => {
    if (isFields(turn) && typeof turn.role === "string" && typeof turn.content === "string")
      return { role: turn.role, content: turn.content };
    throw new UserError(`${where}: origin_prompt is no list of {role, content}`);
  });
}

/**
 * Predictions by set and id: lines of `{set, id, prediction}`.
 * @throws UserError at a line that is none, or the second one of a sample
 */
export function tEvalPredictions(text: string, file: string): Map<string, unknown> {
  const predictions = new Map<string, unknown>();
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const where = `${file}, line ${index + 1}`;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {}
    if (
      !isFields(row) ||
      !tEvalSets.some((set) => set === row.set) ||
      row.id === undefined ||
      row.prediction === undefined
    )
      throw new UserError(`${where}: expected {"set": one of ${tEvalSets.join(", ")}, "id": ..., "prediction": ...}`);
    const key = predictionKey(String(row.set), String(row.id));
    if (predictions.has(key)) throw new UserError(`${where}: ${key} has a prediction already; keep one`);
    predictions.set(key, row.prediction);
  });
  return predictions;
}

/** Of a sample within all files. */
export function predictionKey(set: string, id: string): string {
  return `${set}/${id}`;
}
