import { expect, test } from "vitest";
import { UserError } from "../../src/base/errors";
import { CharacterTokenizer } from "../../src/text/character-tokenizer";
import { loadTokenizer } from "../../src/text/load-tokenizer";
import { idOf } from "../support/tokenizers";

const config = { char_ords: [48, 49, 44, 0x1f600] };

test("characters follow the four special ids", () => {
  const tokenizer = loadTokenizer(undefined, config);
  expect(tokenizer).toBeInstanceOf(CharacterTokenizer);
  expect(tokenizer.vocabularySize).toBe(8);
  expect([...tokenizer.encode("01,\u{1f600}S?E")]).toEqual([4, 5, 6, 7, 0, 3, 1]);
  expect([...tokenizer.encodePlain("1SE")]).toEqual([5, 3, 3]);
  expect(tokenizer.decode([4, 7, 0, 1])).toBe("0\u{1f600}SE");
  expect(tokenizer.decode([4, 7, 0, 1], { skipSpecialTokens: true })).toBe("0\u{1f600}");
  expect(tokenizer.eosId).toBe(1);
  expect(idOf(tokenizer, "1")).toBe(5);
  expect(idOf(tokenizer, "P")).toBe(2);
  expect(idOf(tokenizer, "x")).toBeUndefined();
});

test.each([[{ char_ords: [] }], [{ char_ords: "01" }], [{ char_ords: [48, 48] }], [{ char_ords: [48, 1.5] }]])(
  "%j is refused",
  (bad) => {
    expect(() => loadTokenizer(undefined, bad)).toThrow(UserError);
  },
);
