/**
 * Documents of next-token training: synthetic ones by number, or those of a file again and again in a new order;
 * mixtures of them; the batch of a step.
 */
import { UserError } from "../base/errors";
import { readJsonLines } from "../base/json";
import { CounterRandom } from "../base/random";
import { fullyScored } from "../model/micro-batches";
import type { TrainingSequence } from "../model/sequences";
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
    heldOut(count) {
      const documents = corpusTokens(seed, tokenizer, HELD_OUT_FROM);
      return Array.from({ length: count }, () => documents.next().value);
    },
  };
}

/**
 * Documents of a text: rows `{"text": ...}` when the name ends in .jsonl, else paragraphs between blank lines. Each
 * ends with the end-of-text id. One in 20 is held out.
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
  return readJsonLines(text, file, '{"text": ...}').map(({ where, row }) => {
    if (typeof row.text !== "string")
      throw new UserError(`${where}: has no "text"; expected {"text": ...} on each line`);
    return row.text;
  });
}

/**
 * Documents in turn from the source that is furthest behind its share, so that after any number of documents no source
 * is more than one document off, and no chance is involved.
 * @param longest tokens after which a document will be cut
 */
export function* mixedDocuments(
  sources: readonly { readonly source: DocumentSource; readonly weight: number }[],
  longest: number,
): Generator<Uint32Array, void> {
  const parts = sources.map(({ source, weight }) => ({ documents: source.train(), weight, tokens: 0 }));
  for (;;) {
    const next = parts.reduce((behind, part) =>
      part.tokens / part.weight < behind.tokens / behind.weight ? part : behind,
    );
    const document = next.documents.next();
    if (document.done) return;
    next.tokens += Math.min(document.value.length, longest) - 1;
    yield document.value;
  }
}

/** Takes documents until they hold at least `wanted` tokens; longer ones are cut to `longest`. */
export function takeDocuments(documents: Iterator<Uint32Array>, wanted: number, longest: number): TrainingSequence[] {
  const batch: TrainingSequence[] = [];
  for (let tokens = 0; tokens < wanted; ) {
    const next = documents.next();
    if (next.done) break;
    const ids = next.value.subarray(0, longest);
    if (ids.length < 2) continue;
    batch.push(fullyScored(ids));
    tokens += ids.length - 1;
  }
  return batch;
}
