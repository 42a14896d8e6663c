/** From a sample of T-Eval with its prediction to scores of abilities. */
import { UserError } from "../../base/errors";
import { at } from "../../base/must";
import { type SentenceEncoder, similarityOf } from "./encoder";
import type { TEvalSample } from "./files";
import { type Fields, isFields, lenientJson } from "./lenient-json";
import { type PlanAction, planFigures } from "./plan";
import { pythonLiteral, pythonText } from "./python-literal";
import { instructScore, retrieveTextScore, reviewScore, understandScore, understandTextScore } from "./scores";

export const abilities = ["instruct", "plan", "reason", "retrieve", "understand", "review"] as const;
export type Ability = (typeof abilities)[number];

/** A score from 0 to 1 of one ability, in the form in which the answer was asked for. */
export interface AbilityScore {
  readonly ability: Ability;
  readonly form: "json" | "str";
  readonly score: number;
}

/**
 * A prediction that cannot be read scores 0.
 * @throws UserError when the sample itself is not what its file should hold
 */
export async function scoreSample(sample: TEvalSample, encoder: SentenceEncoder): Promise<AbilityScore[]> {
  const { set, prediction } = sample;
  const text = pythonText(prediction);
  switch (set) {
    case "instruct":
      return [scoreInstruct(sample)];
    case "plan_json":
      return [await scorePlan(sample, "json", plan(prediction), encoder)];
    case "plan_str":
      return [await scorePlan(sample, "str", planInText(text, apiNames(sample)), encoder)];
    case "reason_str":
      return [{ ability: "reason", form: "str", score: await likeness(text, goldText(sample, "thought"), encoder) }];
    case "retrieve_str":
      return [{ ability: "retrieve", form: "str", score: retrieveTextScore(text, goldText(sample, "name")) }];
    case "understand_str":
      return [{ ability: "understand", form: "str", score: understandTextScore(text, goldText(sample, "args")) }];
    case "review_str": {
      const gold = isFields(sample.groundTruth) ? sample.groundTruth.answer : undefined;
      if (typeof gold !== "string") throw new UserError(`${sample.where}: ground_truth has no answer`);
      return [{ ability: "review", form: "str", score: reviewScore(text, gold) }];
    }
    case "reason_retrieve_understand_json":
      return scoreStep(sample, encoder);
  }
}

/** Half for the form, half for name and arguments. */
function scoreInstruct({ meta, template, groundTruth, prediction, where }: TEvalSample): AbilityScore {
  const form = meta.response_format === "json" ? "json" : "str";
  const gold = isFields(groundTruth) ? groundTruth : {};
  if (typeof gold.action !== "string" || !isFields(gold.args))
    throw new UserError(`${where}: ground_truth has no action and args`);
  const answer = form === "json" ? keyedCall(prediction, template) : framedCall(pythonText(prediction), template);
  const score = answer === undefined ? 0 : (1 + instructScore(answer, { name: gold.action, args: gold.args })) / 2;
  return { ability: "instruct", form, score };
}

/** The call in an object whose keys the template names. */
function keyedCall(prediction: unknown, template: Fields): { name: string; args: Fields } | undefined {
  const value = lenientJson(prediction);
  if (!isFields(value)) return undefined;
  const [thought, name, args] = ["thought", "action", "args"].map((part) => value[String(template[part])]);
  if (thought === undefined || name === undefined || args === undefined) return undefined;
  return { name: pythonText(name), args: isFields(args) ? args : {} };
}

/** The call in a text whose parts stand between those of the template. */
function framedCall(text: string, template: Fields): { name: string; args: Fields } | undefined {
  const quoted = (key: string) => pythonText(template[key] ?? "").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const parts = ["thought", "action", "args"].map(
    (part) => `${quoted(`${part}_start`)}([^]*${part === "args" ? "" : "?"})${quoted(`${part}_end`)}`,
  );
  const found = new RegExp(parts.join("")).exec(text);
  if (found === null) return undefined;
  let args: unknown;
  try {
    args = pythonLiteral(found[3] ?? "");
  } catch {}
  return { name: (found[2] ?? "").trim(), args: isFields(args) ? args : {} };
}

async function scorePlan(
  sample: TEvalSample,
  form: AbilityScore["form"],
  predicted: readonly PlanAction[],
  encoder: SentenceEncoder,
): Promise<AbilityScore> {
  const gold = plan(sample.groundTruth);
  if (gold.length === 0) throw new UserError(`${sample.where}: ground_truth is no list of {id, name, args}`);
  const texts = [...predicted, ...gold].flatMap(({ name, args }) => [name, args]);
  const { f1 } = planFigures(predicted, gold, await similarityOf(encoder, texts));
  return { ability: "plan", form, score: f1 };
}

/** A list of actions; empty when it is anything else. */
function plan(data: unknown): PlanAction[] {
  const list = lenientJson(data, "[", "]");
  const entries: unknown[] = Array.isArray(list) ? list : [];
  const actions = entries.flatMap((entry): PlanAction[] => {
    if (!isFields(entry) || entry.name === undefined || entry.args === undefined) return [];
    const id = entry.id === null || entry.id === "" ? Number.NaN : Math.trunc(Number(entry.id));
    return Number.isNaN(id) ? [] : [{ id, name: pythonText(entry.name), args: pythonText(entry.args) }];
  });
  return actions.length === entries.length ? actions : [];
}

/** For each sentence or line the name of the data's programs that comes first in it. */
function planInText(text: string, names: readonly string[]): PlanAction[] {
  const actions: PlanAction[] = [];
  for (const sentence of text.replaceAll(". ", "\n").split("\n")) {
    const named = names
      .map((name) => ({ name, place: sentence.indexOf(name) }))
      .filter(({ place }) => place >= 0)
      .toSorted((a, b) => a.place - b.place)[0];
    if (named !== undefined) actions.push({ id: actions.length, name: named.name, args: sentence });
  }
  return actions;
}

function apiNames({ meta, where }: TEvalSample): string[] {
  const names: unknown[] = Array.isArray(meta.API_list) ? meta.API_list : [];
  const texts = names.filter((name) => typeof name === "string");
  if (texts.length === 0) throw new UserError(`${where}: meta has no API_list`);
  return texts;
}

/** Thought, name and arguments of one step. */
async function scoreStep(sample: TEvalSample, encoder: SentenceEncoder): Promise<AbilityScore[]> {
  const gold = step(sample);
  const value = lenientJson(sample.prediction, "{", "}");
  const answer = isFields(value) ? value : undefined;
  const text = (key: string) => pythonText(answer?.[key] ?? "");
  const args = isFields(answer?.args) ? answer.args : {};
  const goldArguments = isFields(gold.args) ? gold.args : {};
  const scores =
    answer === undefined
      ? [0, 0, 0]
      : [
          await likeness(text("thought"), pythonText(gold.thought ?? ""), encoder),
          Number(text("name") === pythonText(gold.name ?? "")),
          understandScore(args, goldArguments),
        ];
  return (["reason", "retrieve", "understand"] as const).map((ability, index) => ({
    ability,
    form: "json",
    score: at(scores, index),
  }));
}

function goldText(sample: TEvalSample, key: string): string {
  return pythonText(step(sample)[key] ?? "");
}

function step({ groundTruth, where }: TEvalSample): Fields {
  const value = lenientJson(groundTruth, "{", "}");
  if (!isFields(value)) throw new UserError(`${where}: ground_truth is no object with thought, name and args`);
  return value;
}

async function likeness(text: string, gold: string, encoder: SentenceEncoder): Promise<number> {
  return (await similarityOf(encoder, [text, gold]))(text, gold);
}
