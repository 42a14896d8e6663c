/** Documents of next-token training: synthetic ones by number, or those of a file again and again in a new order. */
import { UserError } from "../base/errors";
import { CounterRandom } from "../base/random";
import { corpusTokens } from "../tasks/nano/corpus";
import type { Tokenizer } from "../text/tokenizer";

/** An endless stream of documents as ids, and some that are not in it. */
export interface DocumentSource {
  readonly name: string;
  train(): Iterator<Uint32Array>;
  heldOut(count: number): Uint32Array[];
}

/** Far beyond any corpus that is trained on. */
const HELD_OUT_FROM = 2 ** 30;

/** The synthetic arithmetic corpus. */
export function nanoDocuments(seed: number, tokenizer: Tokenizer): DocumentSource {
  return {
    name: "nano",
    train: () => corpusTokens(seed, tokenizer),
    heldOut: (count) => take(corpusTokens(seed, tokenizer, HELD_OUT_FROM), count),
  };
}

/**
 * Documents of a text: rows `{"text": ...}` when the name ends in .jsonl, else paragraphs between blank lines. Each ends with the end-of-text id. One in 20
 * is held out.
 * @throws UserError naming file and line
 */
export function fileDocuments(text: string, file: string, seed: number, tokenizer: Tokenizer): DocumentSource {
  const texts = file.endsWith(".jsonl")
    ? jsonlTexts(text, file)
    : text.split(/\n\s*\n/).filter((part) => part.trim() !== "");
  // An empty text has no token to predict.
  const all = texts
    .map((document) => Uint32Array.from([...tokenizer.encode(document), tokenizer.eosId]))
    .filter(({ length }) => length > 1);
  const heldOut = all.filter((_, index) => index % 20 === 19);
  const train = all.filter((_, index) => index % 20 !== 19);
  if (train.length === 0) throw new UserError(`${file}: holds no document; expected text, or JSONL rows {"text": ...}`);
  return { name: file, train: () => passes(train, seed), heldOut: (count) => heldOut.slice(0, count) };
}

function* passes(documents: readonly Uint32Array[], seed: number): Generator<Uint32Array, never> {
  for (let pass = 0; ; pass++) {
    const random = new CounterRandom(seed, pass);
    const keyed = documents.map((document) => ({ document, key: random.integer(0, 2 ** 31) }));
    keyed.sort((a, b) => a.key - b.key);
    for (const { document } of keyed) yield document;
  }
}

function jsonlTexts(text: string, file: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      throw new UserError(`${file}, line ${index + 1}: not JSON; expected {"text": ...} on each line`);
    }
    if (typeof row !== "object" || row === null || !("text" in row) || typeof row.text !== "string")
      throw new UserError(`${file}, line ${index + 1}: has no "text"; expected {"text": ...} on each line`);
    return [row.text];
  });
}

function take(documents: Iterator<Uint32Array>, count: number): Uint32Array[] {
  return Array.from({ length: count }, () => documents.next().value ?? new Uint32Array());
}
