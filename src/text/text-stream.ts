/**
 * Incremental decoding of token ids. A character whose UTF-8 bytes are spread over several tokens comes out with its
 * last byte; the concatenation of all pieces equals the decoding of all ids at once.
 */
export class TextStream {
  readonly #tokenBytes: (id: number) => Uint8Array;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** @param tokenBytes the bytes of an id. */
  constructor(tokenBytes: (id: number) => Uint8Array) {
    this.#tokenBytes = tokenBytes;
  }

  /** The text that is complete after this id; empty while a character is unfinished. */
  push(id: number): string {
    return this.#decoder.decode(this.#tokenBytes(id), { stream: true });
  }

  /** What is left: U+FFFD for an unfinished character, else nothing. The stream can then be used for another text. */
  end(): string {
    return this.#decoder.decode();
  }
}
