/** `sample` in Node: prompts as token ids, greedy completions, text as it comes. */
import { expect, test } from "vitest";
import { sampleOptions } from "../../src/options/evaluate";
import { sample as answer } from "../../src/run/sample";
import type { AnswerSample } from "../../src/session/events";

async function sample(values: Record<string, unknown>): Promise<{ samples: AnswerSample[]; streamed: string }> {
  const samples: AnswerSample[] = [];
  let streamed = "";
  const options = sampleOptions.resolve([
    { source: "test", spelling: "flag", values: { preset: "nano", maxCompletionLength: 24, ...values } },
  ]);
  await answer(options, {
    signal: new AbortController().signal,
    announce: () => {},
    onProgress: () => {},
    onSample: (each) => samples.push(each),
    onText: (piece) => {
      streamed += piece;
    },
  });
  return { samples, streamed };
}

test("token ids as prompt give what their text gives, greedily, and the text comes piece by piece", async () => {
  const [byText] = (await sample({ prompt: ["12+30"], temperature: 0, tools: "none" })).samples;
  expect(byText?.ids.length).toBeGreaterThan(0);
  expect(byText?.logprobs.length).toBe(byText?.ids.length);
  expect(byText?.logprobs.every((value) => value <= 0)).toBe(true);

  const again = await sample({ prompt: ["12+30"], temperature: 0, tools: "none", seed: 9 });
  expect(again.samples[0]?.ids).toEqual(byText?.ids);
  expect(again.streamed).toBe(byText?.text);

  const { samples } = await sample({ promptIds: "[49, 50]", temperature: 0 });
  expect(samples).toHaveLength(1);
  const continued = await sample({ promptIds: "[49, 50]", temperature: 0, seed: 3 });
  expect(continued.samples[0]?.ids).toEqual(samples[0]?.ids);
});

test.each([
  ["[]", "expected a JSON list"],
  ["[1.5]", "expected a JSON list"],
  ["1,2", "expected a JSON list"],
  ["[100000]", "100000 is no token id"],
])("--prompt-ids %s is refused", async (promptIds, message) => {
  await expect(sample({ promptIds })).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringContaining(message),
  });
});

test("a prompt is needed, in one of its forms", () => {
  const resolve = (values: Record<string, unknown>) =>
    sampleOptions.resolve([{ source: "test", spelling: "flag", values: { preset: "nano", ...values } }]);
  expect(() => resolve({})).toThrow("one of the two");
  expect(() => resolve({ prompt: ["1"], promptIds: "[1]" })).toThrow("one of the two");
  expect(resolve({ prompt: ["1"], tools: "none" }).maxToolCalls).toBe(0);
  expect(resolve({ prompt: ["1"], preset: null, modelNameOrPath: "m", tools: "python" }).maxToolCalls).toBe(2);
});
