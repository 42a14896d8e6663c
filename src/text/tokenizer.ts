import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { UserError } from "../base/errors";
import { at } from "../base/must";
import { exactPreTokenizer } from "./pre-tokenizer";
import { TextStream } from "./text-stream";
import { bytesPerToken, readTokenizerFiles, type TokenizerFiles } from "./tokenizer-json";

export interface DecodeOptions {
  /** Leaves special tokens out of the text (default false). */
  readonly skipSpecialTokens?: boolean;
  /** The ids continue a text, so the space that SentencePiece puts before the first word is kept (default false). */
  readonly continuation?: boolean;
}

/** Text to ids and back. Ids are those of tokenizer.json; nothing is ever added at either end. */
export interface Tokenizer {
  /**
   * Number of real ids (largest id + 1). A model's padded vocabulary may be larger; the ids beyond must never be
   * sampled.
   */
  readonly vocabularySize: number;
  readonly eosId: number;
  readonly specialIds: ReadonlySet<number>;
  /** Special tokens written in the text are recognised. No beginning- or end-of-sequence id is added. */
  encode(text: string): Uint32Array;
  /**
   * For text from outside (tool output): the name of a special token is encoded letter by letter, never as the special
   * id.
   */
  encodePlain(text: string): Uint32Array;
  /** Invalid UTF-8 becomes U+FFFD. */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** The bytes one id adds to the text; possibly a part of a UTF-8 character. Do not modify. */
  tokenBytes(id: number): Uint8Array;
  /** One id as text for display; half characters are U+FFFD. */
  tokenText(id: number): string;
  /** Decodes id by id, holding back the bytes of an unfinished character. */
  stream(): TextStream;
}

/** Byte-level BPE (Qwen, Llama 3, SmolLM2, GPT-2), and BPE with byte fallback (Llama 2). */
export class BpeTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly eosId: number;
  readonly specialIds: ReadonlySet<number>;
  readonly #bytes: readonly Uint8Array[];
  readonly #encoder: HuggingFaceTokenizer;
  readonly #makePlainEncoder: () => HuggingFaceTokenizer;
  readonly #specialNames: readonly string[];
  readonly #stripsLeadingSpace: boolean;
  #plainEncoder: HuggingFaceTokenizer | undefined;

  /** @throws UserError when the files are no such tokenizer, or name no end-of-sequence token */
  constructor(json: unknown, config: unknown) {
    const files = readTokenizerFiles(json, config);
    this.#bytes = bytesPerToken(files);
    this.vocabularySize = this.#bytes.length;
    const special = files.addedTokens.filter((token) => token.special);
    this.specialIds = new Set(special.map((token) => token.id));
    this.#specialNames = special.map((token) => token.content);
    this.#stripsLeadingSpace = files.stripsLeadingSpace;
    this.eosId = endOfSequenceId(files);
    const whole = json as TokenizerJson;
    this.#encoder = new HuggingFaceTokenizer(forLibrary(whole), config as object);
    this.#makePlainEncoder = () => new HuggingFaceTokenizer(withoutSpecialTokens(whole, files), config as object);
  }

  encode(text: string): Uint32Array {
    return text.length === 0 ? new Uint32Array() : run(this.#encoder, text);
  }

  encodePlain(text: string): Uint32Array {
    // Without a special token's name in it, the text is the same to both encoders; the second costs memory, so it is
    // made when needed.
    if (!this.#specialNames.some((name) => text.includes(name))) return this.encode(text);
    this.#plainEncoder ??= this.#makePlainEncoder();
    return run(this.#plainEncoder, text);
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    const stream = new TextStream((id) => this.tokenBytes(id));
    let text = "";
    for (let i = 0; i < ids.length; i++) {
      const id = at(ids, i);
      if (!(options.skipSpecialTokens === true && this.specialIds.has(id))) text += stream.push(id);
    }
    text += stream.end();
    return this.#stripsLeadingSpace && options.continuation !== true && text.startsWith(" ") ? text.slice(1) : text;
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

interface TokenizerJson {
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
  readonly pre_tokenizer?: unknown;
  readonly added_tokens?: readonly { readonly content: string; readonly special?: boolean }[];
}

/**
 * What the library is given: with the fields that it requires and files may leave out, and pre-tokenizers that cut as
 * the reference does.
 */
function forLibrary(json: TokenizerJson): object {
  return {
    added_tokens: [],
    normalizer: null,
    post_processor: null,
    decoder: null,
    ...json,
    pre_tokenizer: exactPreTokenizer(json.pre_tokenizer ?? null),
  };
}

/**
 * The same tokenizer without its special tokens: neither matched in the text nor left in the BPE vocabulary, so their
 * ids cannot come out. The unknown token stays: it is what a character without an id becomes.
 */
function withoutSpecialTokens(json: TokenizerJson, files: TokenizerFiles): object {
  const names = new Set(files.addedTokens.filter((token) => token.special).map((token) => token.content));
  if (files.unknownToken !== undefined) names.delete(files.unknownToken);
  const vocab = Object.fromEntries(Object.entries(json.model.vocab).filter(([entry]) => !names.has(entry)));
  return {
    ...forLibrary(json),
    model: { ...json.model, vocab },
    added_tokens: (json.added_tokens ?? []).filter((token) => token.special !== true),
  };
}

function endOfSequenceId(files: TokenizerFiles): number {
  const added = files.addedTokens.find((token) => token.content === files.endOfSequence);
  const id = added?.id ?? files.vocabulary.get(files.endOfSequence);
  if (id !== undefined) return id;
  throw new UserError(
    `tokenizer_config.json: eos_token ${JSON.stringify(files.endOfSequence)} is not in tokenizer.json; the two files do not belong together`,
  );
}

function run(encoder: HuggingFaceTokenizer, text: string): Uint32Array {
  return Uint32Array.from(encoder.encode(text, { add_special_tokens: false }).ids);
}
