import type { Tokenizer } from "../../text/tokenizer";
import { type NanoDocument, nanoDocument } from "./documents";

/**
 * A document as ids: prompt, pieces, end of sequence. Each piece is encoded on its own and the tool's output with
 * special tokens off, as in a rollout, so that pretraining and sampling see the same ids.
 */
export function encodeNanoDocument(document: NanoDocument, tokenizer: Tokenizer): Uint32Array {
  const parts = [
    tokenizer.encode(document.prompt),
    ...document.pieces.map(({ text, source }) =>
      source === "tool" ? tokenizer.encodePlain(text) : tokenizer.encode(text),
    ),
  ];
  const ids = new Uint32Array(parts.reduce((length, part) => length + part.length, 1));
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
  }
  ids[at] = tokenizer.eosId;
  return ids;
}

/**
 * The documents of corpus `seed` as ids, without end.
 *
 * @param first index of the first document: where a resumed run goes on.
 */
export function* corpusTokens(seed: number, tokenizer: Tokenizer, first = 0): Generator<Uint32Array, never> {
  for (let index = first; ; index++) yield encodeNanoDocument(nanoDocument(seed, index), tokenizer);
}
