import { expect, test } from "vitest";
import { type SentenceEncoder, similarityOf, spellingEncoder } from "../../../src/eval/t-eval/encoder";
import { type TEvalSample, type TEvalSet, tEvalFiles, tEvalPredictions } from "../../../src/eval/t-eval/files";
import { tEvalFigures } from "../../../src/eval/t-eval/run";
import { scoreSample } from "../../../src/eval/t-eval/score-sample";

/** Tells only whether two texts are the same. */
const sameness: SentenceEncoder = {
  name: "sameness",
  isComparable: false,
  embed: async (texts) => texts.map((_, index) => Float32Array.from(texts, (_, other) => Number(index === other))),
};

const sample = (set: TEvalSet, groundTruth: unknown, prediction: unknown, more: Partial<TEvalSample> = {}) => ({
  ...{ set, id: "a", conversation: [], meta: {}, template: {}, groundTruth, prediction, where: "file, a" },
  ...more,
});
const scoresOf = async (...given: Parameters<typeof sample>) =>
  (await scoreSample(sample(...given), sameness)).map(({ score }) => score);

const action = (id: number, name: string, args: unknown) => ({ id, name, args });
const gold = [
  action(0, "Air.find", { place: "Berlin" }),
  action(1, "Arxiv.get", { q: "sun" }),
  action(2, "FinishAction", {}),
];

test("plans: a list in text or JSON, arguments as Python writes them", async () => {
  expect(await scoresOf("plan_json", gold, JSON.stringify(gold))).toEqual([1]);
  const said = `Here: [{"id": "0", "name": "Air.find", "args": "{'place': 'Berlin'}"}] done`;
  // One of one, one of two.
  expect(await scoresOf("plan_json", gold, said)).toEqual([expect.closeTo(2 / 3, 12)]);
  expect(await scoresOf("plan_json", gold, '[{"id": 0, "name": "Air.find"}]')).toEqual([0]);
  expect(await scoresOf("plan_json", gold, "I cannot")).toEqual([0]);
});

test("plans in sentences: the first known name of each", async () => {
  const meta = { API_list: ["Arxiv.get", "Air.find"] };
  const steps = [action(0, "Air.find", "Use Air.find, not Arxiv.get"), action(1, "Arxiv.get", "then Arxiv.get")];
  const said = "Use Air.find, not Arxiv.get. then Arxiv.get\nDone";
  expect(await scoresOf("plan_str", steps, said, { meta })).toEqual([1]);
  await expect(scoresOf("plan_str", steps, said)).rejects.toThrow("file, a: meta has no API_list");
});

test("a step: thought, name and arguments; a prediction that cannot be read scores 0", async () => {
  const right = { thought: "look", name: "Air.find", args: { place: "Berlin", n: 1 } };
  const said = "```json\n{'thought': 'look', 'name': 'Air.find', 'args': {'place': 'Berlin', 'n': '1'}}\n```";
  const [reason, retrieve, understand] = await scoresOf("reason_retrieve_understand_json", right, said);
  expect([reason, retrieve]).toEqual([1, 1]);
  expect(understand).toBeCloseTo(2 / (2 + 1e-5), 12);
  expect(await scoresOf("reason_retrieve_understand_json", right, "no")).toEqual([0, 0, 0]);
  expect(await scoresOf("reason_str", right, "look")).toEqual([1]);
  expect(await scoresOf("reason_str", right, "wait")).toEqual([0]);
  expect(await scoresOf("retrieve_str", right, "I use Air.find")).toEqual([1]);
  expect(await scoresOf("understand_str", { ...right, args: "Berlin" }, '"Berlin"')).toEqual([1]);
  expect(await scoresOf("review_str", { answer: "B" }, "Answer: B")).toEqual([1]);
});

test("instructions: half for the form", async () => {
  const right = { action: "f", args: { a: 1, b: "x" } };
  const keys = { template: { thought: "T", action: "A", args: "X" }, meta: { response_format: "json" } };
  expect(await scoresOf("instruct", right, '{"T": "", "A": "f", "X": {"a": 1, "b": "y"}}', keys)).toEqual([
    expect.closeTo((1 + 2 / 3) / 2, 12),
  ]);
  expect(await scoresOf("instruct", right, '{"A": "f", "X": {}}', keys)).toEqual([0]);
  const frame = {
    thought_start: "(",
    thought_end: ")",
    action_start: "<",
    action_end: ">",
    args_start: "[",
    args_end: "]",
  };
  const text = { template: frame, meta: { response_format: "string" } };
  expect(await scoresOf("instruct", right, "(think)\n<f>[{'a': 1, 'b': 'x'}]", text)).toEqual([0]);
  expect(await scoresOf("instruct", right, "(think)<f>[{'a': 1, 'b': 'x'}]", text)).toEqual([1]);
  expect(await scoresOf("instruct", right, "(think)<g>[what]", text)).toEqual([1 / 2]);
});

test("abilities are means of their forms, overall of the six, and a missing form leaves a gap", () => {
  const both = (["instruct", "plan", "reason", "retrieve", "understand"] as const).flatMap((ability) => [
    { ability, form: "json", score: 1 } as const,
    { ability, form: "str", score: 0 } as const,
    { ability, form: "str", score: 1 } as const,
  ]);
  const review = { ability: "review", form: "str", score: 0.25 } as const;
  const figures = tEvalFigures([...both, review]);
  expect(figures.abilities.map(({ score }) => score)).toEqual([0.75, 0.75, 0.75, 0.75, 0.75, 0.25]);
  expect(figures.overall).toBeCloseTo((5 * 0.75 + 0.25) / 6, 12);
  expect(tEvalFigures(both)).toMatchObject({ overall: null });
  expect(tEvalFigures([{ ability: "plan", form: "json", score: 1 }]).abilities[1]).toMatchObject({
    json: 1,
    score: null,
  });
});

test("the offline encoder sees spelling, and says that it is not comparable", async () => {
  const similarity = await similarityOf(spellingEncoder, ["weather today", "Weather today", "weather", "zzz", ""]);
  expect(similarity("weather today", "Weather today")).toBeCloseTo(1, 6);
  expect(similarity("weather today", "weather")).toBeGreaterThan(similarity("weather today", "zzz"));
  expect(similarity("", "zzz")).toBe(0);
  expect(spellingEncoder.isComparable).toBe(false);
});

test("files by name, and predictions by set and id", () => {
  const names = ["plan_json_v2.json", "reason_str_v2_subset_zh.json", "notes.json"];
  expect([...tEvalFiles(names, "d").keys()]).toEqual(["plan_json", "reason_str"]);
  expect(() => tEvalFiles(["plan_json_v2.json", "plan_json_v2_zh.json"], "d")).toThrow(/would be mixed/);
  expect(() => tEvalFiles([], "d")).toThrow(/no file of T-Eval/);
  const line = JSON.stringify({ set: "plan_json", id: "q", prediction: "x" });
  expect([...tEvalPredictions(`${line}\n\n`, "p")]).toEqual([["plan_json/q", "x"]]);
  expect(() => tEvalPredictions(`${line}\n${line}`, "p")).toThrow("p, line 2: plan_json/q has a prediction already");
  expect(() => tEvalPredictions('{"set": "plan"}', "p")).toThrow(/p, line 1: expected/);
});
