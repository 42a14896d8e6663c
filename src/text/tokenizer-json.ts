import { UserError } from "../base/errors";
import { isRecord, type JsonObject } from "../base/json";

/** The parts of a parsed tokenizer.json and tokenizer_config.json that the tokenizer needs, checked. */
export interface TokenizerFiles {
  /** Vocabulary entries of the BPE model, as written in the file. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly addedTokens: readonly { readonly content: string; readonly id: number; readonly special: boolean }[];
  /** How vocabulary entries turn into bytes. */
  readonly alphabet: "byte-level" | "sentencepiece";
  /** True when the decoder removes one space at the start of a text. */
  readonly stripsLeadingSpace: boolean;
  readonly unknownToken: string | undefined;
  readonly endOfSequence: string;
}

function decoderTypes(decoder: unknown): string[] {
  if (!isRecord(decoder)) return [];
  const own = typeof decoder.type === "string" ? [decoder.type] : [];
  return [...own, ...(Array.isArray(decoder.decoders) ? decoder.decoders.flatMap(decoderTypes) : [])];
}

function endOfSequence(config: JsonObject): string {
  const eos = isRecord(config.eos_token) ? config.eos_token.content : config.eos_token;
  if (typeof eos === "string" && eos.length > 0) return eos;
  throw new UserError(
    `tokenizer_config.json: eos_token is ${JSON.stringify(eos ?? null)}, expected the text of the end-of-sequence token; add "eos_token" to the file`,
  );
}

/**
 * Checks a parsed tokenizer.json and tokenizer_config.json.
 * @throws UserError when a file is not of this kind, or uses a tokenizer model other than BPE.
 */
export function readTokenizerFiles(json: unknown, config: unknown): TokenizerFiles {
  if (!isRecord(json) || !isRecord(json.model))
    throw new UserError("tokenizer.json: no `model` object found, expected a Hugging Face tokenizer file");
  if (!isRecord(config)) throw new UserError("tokenizer_config.json: expected a JSON object");
  const { model } = json;
  if (model.type !== undefined && model.type !== "BPE")
    throw new UserError(
      `tokenizer.json: model type ${JSON.stringify(model.type)} is not supported, expected "BPE" (as in Llama, Qwen and SmolLM)`,
    );
  if (!isRecord(model.vocab) || !Array.isArray(model.merges))
    throw new UserError("tokenizer.json: model.vocab and model.merges are missing, expected a BPE model");
  const vocabulary = new Map<string, number>();
  for (const [entry, id] of Object.entries(model.vocab)) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0)
      throw new UserError(`tokenizer.json: model.vocab[${JSON.stringify(entry)}] is ${JSON.stringify(id)}, not an id`);
    vocabulary.set(entry, id);
  }
  const addedTokens = (Array.isArray(json.added_tokens) ? json.added_tokens : []).map((token: unknown, index) => {
    if (!isRecord(token) || typeof token.content !== "string" || typeof token.id !== "number")
      throw new UserError(`tokenizer.json: added_tokens[${index}] has no content and id`);
    return { content: token.content, id: token.id, special: token.special === true };
  });
  const types = decoderTypes(json.decoder);
  return {
    vocabulary,
    addedTokens,
    alphabet: alphabetOf(types),
    stripsLeadingSpace: !types.includes("ByteLevel") && (types.includes("Strip") || types.includes("Metaspace")),
    unknownToken: typeof model.unk_token === "string" ? model.unk_token : undefined,
    endOfSequence: endOfSequence(config),
  };
}

function alphabetOf(types: readonly string[]): TokenizerFiles["alphabet"] {
  if (types.includes("ByteLevel")) return "byte-level";
  if (types.includes("ByteFallback") || types.includes("Metaspace")) return "sentencepiece";
  throw new UserError(
    `tokenizer.json: decoder ${types.join(" > ") || "(none)"} is not supported, expected ByteLevel, or ByteFallback as in Llama 2`,
  );
}

/**
 * The bytes of each id: what the decoder would write for it in the middle of a text. An unused id gets none.
 * @returns one array per id, `vocabularySize` of them.
 */
export function bytesPerToken(files: TokenizerFiles): Uint8Array[] {
  const utf8 = new TextEncoder();
  const ids = [...files.vocabulary.values(), ...files.addedTokens.map((token) => token.id)];
  const size = ids.reduce((largest, id) => Math.max(largest, id), -1) + 1;
  const bytes = new Array<Uint8Array>(size).fill(new Uint8Array());
  for (const [entry, id] of files.vocabulary) bytes[id] = entryBytes(entry, files.alphabet, utf8);
  for (const { content, id } of files.addedTokens) bytes[id] = utf8.encode(content);
  return bytes;
}

function entryBytes(entry: string, alphabet: TokenizerFiles["alphabet"], utf8: TextEncoder): Uint8Array {
  // An entry outside the alphabet is one that also stands among the added tokens, written as plain text.
  if (alphabet === "byte-level") return byteLevelBytes(entry) ?? utf8.encode(entry);
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(entry)?.[1];
  return byte === undefined ? utf8.encode(entry.replaceAll("\u2581", " ")) : Uint8Array.of(Number.parseInt(byte, 16));
}

/**
 * The alphabet of byte-level BPE (GPT-2): each byte is written as one printable character, so that a vocabulary of JSON
 * strings can hold any byte sequence. Bytes that are printable in Latin-1 stand for themselves, the others follow from
 * U+0100 on.
 */
const CHARACTER_OF_BYTE: readonly string[] = (() => {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(
  CHARACTER_OF_BYTE.map((character, byte) => [character, byte]),
);

/** The bytes a byte-level vocabulary entry stands for; undefined when it holds a character outside the alphabet. */
export function byteLevelBytes(entry: string): Uint8Array | undefined {
  const bytes = new Uint8Array(entry.length);
  for (let i = 0; i < entry.length; i++) {
    const byte = BYTE_OF_CHARACTER.get(entry.charAt(i));
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
