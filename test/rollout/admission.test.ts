import { expect, it } from "vitest";
import { Admission } from "../../src/rollout/admission";
import { FakeDecoder, FakeTokenizer } from "./fakes";
import { optionsFor, SHAPE, scenario } from "./scenario";

it("admission takes what it reserved and gives everything back", () => {
  const tokenizer = new FakeTokenizer();
  const { requests, scripts } = scenario(tokenizer, ["0123456789", "x"], 3, () => []);
  const shape = { ...SHAPE, slots: 2, pageCount: 10 };
  const decoder = new FakeDecoder(shape, scripts, tokenizer);
  const options = optionsFor(tokenizer, { maxCompletionLength: 11 });
  const admission = new Admission(requests, decoder, tokenizer, options, 99);
  const one = admission.admit();
  const two = admission.admit();
  expect([one?.slot, two?.slot]).toEqual([0, 1]);
  expect(one?.pages).toEqual([0, 1, 2, 3, 4]);
  expect(two?.pages).toEqual([0, 1, 5, 6, 7]);
  expect(admission.admit()).toBeUndefined();
  if (one === undefined || two === undefined) throw new Error("not admitted");
  // The prompt's pages stay, also the last one, of which the third sample has still to get its copy.
  admission.release(one);
  expect(admission.usedPages).toBe(6);
  const three = admission.admit();
  expect(three?.pages).toEqual([0, 1, 3, 4, 8]);
  if (three === undefined) throw new Error("not admitted");
  admission.release(two);
  admission.release(three);
  for (const pages of [3, 4, 3]) {
    const sequence = admission.admit();
    if (sequence === undefined) throw new Error("not admitted");
    expect(admission.usedPages).toBe(pages);
    admission.release(sequence);
  }
  expect(admission.usedPages).toBe(0);
  expect(admission.admit()).toBeUndefined();
});
