/** Several document sources as one, each with its share of the tokens. */
import { UserError } from "../base/errors";
import type { DocumentSource } from "./documents";

/** A data set of a mixture and its weight, which counts relative to the others'. */
export interface MixturePart {
  readonly dataset: string;
  readonly weight: number;
}

/**
 * Reads `a.jsonl:0.7,b.jsonl:0.3`. A text without weights is one data set, commas and all.
 * @throws UserError when a part has no weight, or one that is not above 0, or comes twice
 */
export function parseMixture(text: string): MixturePart[] {
  if (!/:[-+.\deE]+(?:,|$)/.test(text)) return [{ dataset: text, weight: 1 }];
  const parts = text.split(",").map((part) => {
    const [, dataset = "", number = ""] = /^(.+):([^:]+)$/.exec(part.trim()) ?? [];
    const weight = Number(number);
    if (dataset === "" || !Number.isFinite(weight) || weight <= 0)
      throw new UserError(`--dataset: ${JSON.stringify(part)} has no weight above 0; expected a.jsonl:0.7,b.jsonl:0.3`);
    return { dataset, weight };
  });
  const twice = parts.find(({ dataset }, index) => parts.findIndex((part) => part.dataset === dataset) < index);
  if (twice !== undefined)
    throw new UserError(`--dataset: ${twice.dataset} comes twice in the mixture; add its weights up`);
  return parts;
}

/**
 * Documents in turn from the source that is furthest behind its share, so that after any number of documents no source is more than one document off,
 * and no chance is involved.
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
