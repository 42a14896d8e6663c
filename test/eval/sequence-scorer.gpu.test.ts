/** Continuations of one prompt against the f64 reference, and against whole sequences to the bit. */
import { expect, test } from "vitest";
import { SequenceScorer } from "../../src/model/sequence-scorer";
import {
  bitsOf,
  CONFIGS,
  largestDifference,
  modelContext,
  modelOf,
  Numbers,
  randomTensors,
} from "../support/reference/models";
import { ReferenceModel } from "../support/reference/transformer";

const config = CONFIGS["qwen3, untied, head norms, wide heads"];

test.each([
  ["a prompt that ends in the middle of a page", 13, 2 ** 22],
  ["a prompt of whole pages", 16, 2 ** 22],
  ["a prompt of one token, and few logits at a time", 1, 1024],
])("%s: shared, it changes no bit", async (_, length, logitsBytes) => {
  const tensors = randomTensors(config);
  const numbers = new Numbers(length);
  const draw = (count: number) => Uint32Array.from({ length: count }, () => numbers.below(config.vocabularySize));
  const prompt = draw(length);
  const continuations = [5, 1, 0, 48, 7].map(draw);
  const model = modelOf(await modelContext(), config, tensors);
  const scorer = new SequenceScorer(model, 64, logitsBytes);
  const scored = await scorer.continuations(prompt, continuations);
  const reference = new ReferenceModel(config, tensors);
  for (const [index, ids] of continuations.entries()) {
    const whole = Uint32Array.of(...prompt, ...ids);
    const tail = (await scorer.logprobs(whole)).subarray(length);
    expect([...bitsOf(scored[index] ?? new Float32Array())]).toEqual([...bitsOf(tail.slice())]);
    if (ids.length === 0) continue;
    const flags = Array.from(whole, (_, position) => Number(position >= length));
    const { logprobs } = reference.forward([{ ids: [...whole], scored: flags }]);
    expect(largestDifference(scored[index] ?? [], logprobs)).toBeLessThan(2e-5);
  }
  scorer.destroy();
  model.destroy();
});

test("without a prompt there is nothing to continue", async () => {
  const model = modelOf(await modelContext(), config, randomTensors(config));
  const scorer = new SequenceScorer(model, 8, 2 ** 20);
  await expect(scorer.continuations(new Uint32Array(), [Uint32Array.of(1)])).rejects.toThrow(/at least one token/);
  scorer.destroy();
  model.destroy();
});
