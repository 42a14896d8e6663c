/** What only tests ask of tokenizers. */
import { must } from "../../src/base/must";
import type { Tokenizer } from "../../src/text/tokenizer";
import { byteLevelBytes } from "../../src/text/tokenizer-json";

const CHARACTERS = new Map(
  Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code)).flatMap((character) => {
    const byte = byteLevelBytes(character)?.[0];
    return byte === undefined ? [] : [[byte, character]];
  }),
);

/** The character that stands for a byte in a byte-level vocabulary. */
export function byteLevelCharacter(byte: number): string {
  return must(CHARACTERS.get(byte), `the character of byte ${byte}`);
}

/** The id whose whole text is `text`, if there is one. */
export function idOf(tokenizer: Tokenizer, text: string): number | undefined {
  const ids = Array.from({ length: tokenizer.vocabularySize }, (_, id) => id);
  return ids.find((id) => tokenizer.tokenText(id) === text);
}
