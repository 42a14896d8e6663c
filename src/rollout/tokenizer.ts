/** Tokenizer as the rollout needs it, and detokenization token by token. */

/** What the rollout needs of a tokenizer. */
export interface TokenizerView {
  /**
   * Text of ids; a character whose bytes are incomplete becomes U+FFFD. Must not tidy up spaces. `continuation`: the
   * ids follow others, so a space at the beginning is kept.
   */
  decode(ids: Uint32Array, options: { continuation: true }): string;
  /** Ids of a text taken as plain text: no special tokens added, none recognised. */
  encodePlain(text: string): Uint32Array;
  readonly eosId: number;
}

/** A UTF-8 character has at most four bytes: what is unfinished after as many tokens never will be finished. */
const LONGEST_CHARACTER = 4;

export const CONTINUATION = { continuation: true } as const;

/**
 * Text of a growing list of ids, given out piece by piece as soon as it can no longer change: everything but the bytes
 * of an unfinished character.
 */
export class IncrementalDetokenizer {
  /** Tokens since the last end of a character, and how much of their text was given out. */
  #window: number[] = [];
  #emitted = 0;
  readonly #tokenizer: TokenizerView;

  constructor(tokenizer: TokenizerView) {
    this.#tokenizer = tokenizer;
  }

  /** Adds a token and returns the text that became final with it, perhaps empty. */
  push(id: number): string {
    this.#window.push(id);
    const text = this.#tokenizer.decode(Uint32Array.from(this.#window), CONTINUATION);
    let end = text.length;
    if (this.#window.length < LONGEST_CHARACTER) while (end > this.#emitted && text[end - 1] === "\uFFFD") end--;
    const piece = text.slice(this.#emitted, end);
    this.#emitted = end;
    if (end === text.length) {
      this.#window = [];
      this.#emitted = 0;
    }
    return piece;
  }
}
