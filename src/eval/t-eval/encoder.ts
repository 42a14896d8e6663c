/** Similarity of texts for the scores that need it. */
import { at, must } from "../../base/must";
import type { Similarity } from "./plan";

/** Turns sentences into vectors. T-Eval's figures were made with all-mpnet-base-v2. */
export interface SentenceEncoder {
  readonly name: string;
  /** Whether figures made with it may be held against published ones. */
  readonly isComparable: boolean;
  /** One vector for each text, all of one length, of any norm. */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>;
}

const SIZE = 2 ** 12;
const GRAM = 3;

/**
 * Stands in where no sentence encoder is at hand: counts of groups of three characters, hashed. It sees spelling and no
 * meaning, so its figures are not comparable with published ones.
 */
export const spellingEncoder: SentenceEncoder = {
  name: "character trigrams",
  isComparable: false,
  embed: async (texts) => texts.map(trigrams),
};

function trigrams(text: string): Float32Array {
  const vector = new Float32Array(SIZE);
  const characters = [...` ${text.toLowerCase()} `];
  for (let i = 0; i + GRAM <= characters.length; i++) {
    let hash = 2166136261;
    for (const character of characters.slice(i, i + GRAM))
      hash = Math.imul(hash ^ must(character.codePointAt(0), "a character"), 16777619);
    const slot = (hash >>> 0) % SIZE;
    vector[slot] = at(vector, slot) + 1;
  }
  return vector;
}

/** Cosine of the vectors of any two of these texts, 0 where it is negative or a vector is zero. */
export async function similarityOf(encoder: SentenceEncoder, texts: readonly string[]): Promise<Similarity> {
  const distinct = [...new Set(texts)];
  const vectors = await encoder.embed(distinct);
  const vectorOf = new Map(distinct.map((text, index) => [text, at(vectors, index)]));
  return (left, right) => {
    const [a, b] = [vectorOf.get(left), vectorOf.get(right)];
    if (a === undefined || b === undefined) throw new RangeError("similarity of a text that was not embedded");
    const norm = Math.sqrt(product(a, a) * product(b, b));
    return norm === 0 ? 0 : Math.max(0, product(a, b) / norm);
  };
}

/** Of vectors of one length, for every pair of texts: read as they are. */
function product(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, each, index) => sum + each * (b[index] as number), 0);
}
