import { UserError } from "../base/errors";
import { TextStream } from "./text-stream";
import type { DecodeOptions, Tokenizer } from "./tokenizer";

/** The special tokens under the names that chat templates of such folders use. */
export const CHARACTER_TOKENS = { sep_token: "S", eos_token: "E", pad_token: "P", unk_token: "U" } as const;

/**
 * Ids below the characters: the separator after a prompt, the end, padding and the unknown character, with the letters
 * that stand for them.
 */
const SPECIAL: readonly string[] = Object.values(CHARACTER_TOKENS);
const END = 1;
const UNKNOWN = 3;

/**
 * Whether a tokenizer_config.json is that of a character tokenizer: it lists the code points of its characters and has
 * no tokenizer.json beside it.
 */
export function isCharacterConfig(config: unknown): config is { readonly char_ords: unknown } {
  return typeof config === "object" && config !== null && "char_ords" in config;
}

/**
 * One character a token, as in verl's digit-completion model: four special ids, then the characters of `char_ords` in
 * order.
 */
export class CharacterTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly eosId = END;
  readonly specialIds: ReadonlySet<number> = new Set(SPECIAL.keys());
  readonly #bytes: readonly Uint8Array[];
  readonly #characters: ReadonlyMap<string, number>;

  /** @throws UserError when `char_ords` is no list of different code points */
  constructor(config: { readonly char_ords: unknown }) {
    const given: unknown[] = Array.isArray(config.char_ords) ? config.char_ords : [];
    const points = given.filter(
      (point): point is number =>
        typeof point === "number" && Number.isInteger(point) && point >= 0 && point < 0x110000,
    );
    if (points.length === 0 || points.length !== given.length || new Set(points).size !== points.length)
      throw new UserError("tokenizer_config.json: char_ords is no list of different code points, such as [48, 49]");
    const characters = points.map((point) => String.fromCodePoint(point));
    this.vocabularySize = SPECIAL.length + characters.length;
    this.#characters = new Map(characters.map((character, index) => [character, SPECIAL.length + index]));
    const utf8 = new TextEncoder();
    this.#bytes = [...SPECIAL, ...characters].map((text) => utf8.encode(text));
  }

  encode(text: string): Uint32Array {
    const special = new Map<string, number>(SPECIAL.map((letter, id) => [letter, id]));
    return Uint32Array.from(text, (character) => special.get(character) ?? this.#characters.get(character) ?? UNKNOWN);
  }

  encodePlain(text: string): Uint32Array {
    return Uint32Array.from(text, (character) => this.#characters.get(character) ?? UNKNOWN);
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    return Array.from(ids)
      .filter((id) => !(options.skipSpecialTokens === true && this.specialIds.has(id)))
      .map((id) => this.tokenText(id))
      .join("");
  }

  tokenBytes(id: number): Uint8Array {
    const bytes = this.#bytes[id];
    if (bytes === undefined) throw new RangeError(`token id ${id} is outside the vocabulary of ${this.vocabularySize}`);
    return bytes;
  }

  tokenText(id: number): string {
    return new TextDecoder().decode(this.tokenBytes(id));
  }

  stream(): TextStream {
    return new TextStream((id) => this.tokenBytes(id));
  }
}
