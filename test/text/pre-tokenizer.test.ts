/**
 * Where texts are cut before merges: seen through merges that would join what must stay apart, or must join what stays
 * together.
 */
import { expect, test } from "vitest";
import { loadTokenizer } from "../../src/text/load-tokenizer";
import { byteLevelCharacter } from "../support/tokenizers";

/** Number of tokens of a text, with one token for each byte and one merge of these two bytes. */
function tokens(preTokenizer: object, merge: readonly [number, number], text: string): number {
  const pair = merge.map(byteLevelCharacter);
  const vocab = Object.fromEntries(Array.from({ length: 256 }, (_, byte) => [byteLevelCharacter(byte), byte]));
  const json = {
    added_tokens: [{ id: 257, content: "<end>", special: true }],
    pre_tokenizer: preTokenizer,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: { ...vocab, [pair.join("")]: 256 }, merges: [pair] },
  };
  return loadTokenizer(json, { eos_token: "<end>" }).encode(text).length;
}

const byteLevel = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
const digits = (individual: boolean) => ({
  type: "Sequence",
  pretokenizers: [{ type: "Digits", individual_digits: individual }, byteLevel],
});

test("U+FEFF is no white space: two of them stay together", () => {
  expect(tokens(byteLevel, [0xbf, 0xef], "x\ufeff\ufeffy")).toBe(7);
});

test("every number of Unicode is a digit: a space before one half is cut off", () => {
  expect(tokens(byteLevel, [0x20, 0xc2], " \u00bd")).toBe(2);
  expect(tokens(digits(true), [0x20, 0xc2], " \u00bd")).toBe(3);
});

test("digits stand alone or in runs", () => {
  expect(tokens(digits(true), [0x31, 0x32], "12")).toBe(2);
  expect(tokens(digits(false), [0x31, 0x32], "12")).toBe(1);
});
