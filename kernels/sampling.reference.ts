/**
 * f64 maths from logits to tokens, their log-probs and the gradient of the logits; and the random numbers, by BigInt.
 */
import { at } from "../src/base/must";
import type { Tensor } from "./tensor";

const LOW_32 = 0xffffffffn;

export type Words = readonly [number, number, number, number];

/** Philox 4x32 with 10 rounds (Salmon et al. 2011): four words from a counter of four words and a key of two. */
export function philoxReference(counter: Words, key: readonly [low: number, high: number]): Words {
  let [c0, c1, c2, c3] = [BigInt(counter[0]), BigInt(counter[1]), BigInt(counter[2]), BigInt(counter[3])];
  let [k0, k1] = [BigInt(key[0]), BigInt(key[1])];
  for (let round = 0; round < 10; round++) {
    const first = 0xd2511f53n * c0;
    const second = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(second >> 32n) ^ c1 ^ k0, second & LOW_32, (first >> 32n) ^ c3 ^ k1, first & LOW_32];
    k0 = (k0 + 0x9e3779b9n) & LOW_32;
    k1 = (k1 + 0xbb67ae85n) & LOW_32;
  }
  return [Number(c0), Number(c1), Number(c2), Number(c3)];
}

/** The standard Gumbel variable of a random word: -log(-log(u)), u the middle of one of 2^23 equal parts of (0, 1). */
export function gumbelReference(word: number): number {
  const u = ((word >>> 9) + 0.5) / 2 ** 23;
  return -Math.log(-Math.log(u));
}

const highest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

export interface Truncation {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

/**
 * The lowest logit that is kept; -Infinity when all are. top-k keeps the k highest logits and what equals the last of
 * them; top-p, of those, the shortest list of the likeliest whose probabilities reach topP of what top-k kept, and what
 * equals the last; min-p what is at least minP times as likely as the likeliest.
 */
export function thresholdReference(logits: readonly number[], truncation: Truncation): number {
  const temperature = truncation.temperature || 1;
  const sorted = [...logits].sort((a, b) => b - a);
  const top = at(sorted, 0);
  let threshold = Number.NEGATIVE_INFINITY;
  if (truncation.topK > 0 && truncation.topK < sorted.length) threshold = at(sorted, truncation.topK - 1);
  if (truncation.topP < 1) {
    const kept = sorted.filter((logit) => logit >= threshold);
    const masses = kept.map((logit) => Math.exp((logit - top) / temperature));
    const wanted = truncation.topP * masses.reduce((total, mass) => total + mass, 0);
    let reached = 0;
    const last = masses.findIndex((mass) => {
      reached += mass;
      return reached >= wanted;
    });
    // Rounding may leave the sum of all just below what is wanted: then all are kept.
    if (last >= 0) threshold = at(kept, last);
  }
  if (truncation.minP > 0) threshold = Math.max(threshold, top + temperature * Math.log(truncation.minP));
  return threshold;
}

/**
 * The kept token with the highest logit / temperature + gumbel(token); the highest logit at temperature 0; the lowest
 * id among equals.
 */
export function sampleReference(
  logits: readonly number[],
  truncation: Truncation,
  gumbel: (token: number) => number,
): number {
  const threshold = thresholdReference(logits, truncation);
  const scores = logits.map((logit, token) => {
    if (logit < threshold) return Number.NEGATIVE_INFINITY;
    return truncation.temperature === 0 ? logit : logit / truncation.temperature + gumbel(token);
  });
  return scores.indexOf(highest(scores));
}

/** Probabilities of the kept tokens after division by the temperature; 0 for the others. */
export function probabilitiesReference(logits: readonly number[], temperature: number, threshold: number): number[] {
  const top = highest(logits);
  const masses = logits.map((logit) => (logit >= threshold ? Math.exp((logit - top) / temperature) : 0));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  return masses.map((mass) => mass / total);
}

/** log-prob of the token, log-sum-exp of the kept logits / temperature, entropy -sum p log p. */
export function statisticsReference(
  logits: readonly number[],
  token: number,
  temperature: number,
  threshold: number,
): { logProb: number; logSumExp: number; entropy: number } {
  const top = highest(logits);
  const kept = logits.filter((logit) => logit >= threshold);
  const mass = kept.reduce((sum, logit) => sum + Math.exp((logit - top) / temperature), 0);
  const logSumExp = top / temperature + Math.log(mass);
  const probabilities = probabilitiesReference(logits, temperature, threshold);
  return {
    logProb: at(logits, token) / temperature - logSumExp,
    logSumExp,
    entropy: -probabilities.reduce((total, p) => total + (p > 0 ? p * Math.log(p) : 0), 0),
  };
}

/**
 * Gradient of `coefficient` times the log-prob of the token plus `entropyCoefficient` times the entropy H:
 * (coefficient (1[v = token] - p_v) - entropyCoefficient p_v (log p_v + H)) / temperature for kept v, else 0.
 */
export function logitsGradientReference(
  logits: readonly number[],
  token: number,
  temperature: number,
  threshold: number,
  coefficient: number,
  entropyCoefficient = 0,
): number[] {
  const { entropy } = statisticsReference(logits, token, temperature, threshold);
  return probabilitiesReference(logits, temperature, threshold).map((p, v) => {
    const surprise = p > 0 ? p * (Math.log(p) + entropy) : 0;
    return (coefficient * ((v === token ? 1 : 0) - p) - entropyCoefficient * surprise) / temperature;
  });
}

/** Rows of a matrix as lists. */
export function rowsOfMatrix(matrix: Tensor): number[][] {
  return Array.from({ length: matrix.size(0) }, (_, row) => [
    ...matrix.data.subarray(row * matrix.size(1), (row + 1) * matrix.size(1)),
  ]);
}
