import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { toRollout } from "../../src/run/view/record";
import { loadTokenizer } from "../../src/text/load-tokenizer";

const folder = join(import.meta.dirname, "../../checkpoints/nano-base");
const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));
const tokenizer = loadTokenizer(json("tokenizer.json"), json("tokenizer_config.json"));

const record = (ids: readonly number[]) => ({
  step: 3,
  id: 7,
  group: 0,
  sample: 1,
  prompt: "q",
  text: "whole text",
  model_text: "",
  finish_reason: "length",
  reward: 1,
  tools: [{ code: "x", status: "timeout", stdout: "", stderr: "e".repeat(9000), observation: "" }],
  segments: [{ kind: "text", start: 0, end: ids.length }],
  ids,
  mask: ids.map(() => 1),
  logprobs: ids.map(() => -0.123456789),
  time: { tools: [{ ms: 12.5, queue_ms: 3 }] },
});

it("gives each token what it adds to the text: a character goes to the token that ends it", () => {
  const ids = [...Buffer.from("aé😀"), ...Buffer.from("é").subarray(0, 1)];
  const rollout = toRollout(JSON.stringify(record(ids)), tokenizer);
  expect(rollout?.tokens).toEqual(["a", "", "é", "", "", "", "😀", "\ufffd"]);
  expect(rollout?.logprobs[0]).toBe(-0.12346);
  expect(rollout).toMatchObject({ mask: "11111111", advantage: null, finishReason: "length" });
  expect(rollout?.tools[0]).toMatchObject({ status: "timeout", milliseconds: 12.5, queueMilliseconds: 3 });
  expect(rollout?.tools[0]?.stderr.length).toBeLessThan(2100);
});

it("leaves the text whole without a tokenizer, or with one that does not know an id", () => {
  expect(toRollout(JSON.stringify(record([97])), undefined)).toMatchObject({ tokens: null, text: "whole text" });
  expect(toRollout(JSON.stringify(record([97, 1_000_000])), tokenizer)?.tokens).toBeNull();
  expect(toRollout(JSON.stringify(record([97, -1])), tokenizer)?.tokens).toBeNull();
});

it.each([
  "",
  "{",
  "[]",
  "{}",
  JSON.stringify({ ...record([97]), mask: [] }),
  JSON.stringify({ ...record([97]), ids: "x" }),
])("leaves out %j", (line) => expect(toRollout(line, tokenizer)).toBeUndefined());
