/** Mean of a list; 0 of an empty one. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation with divisor n - 1 (ddof 1); 0 of fewer than two values. */
export function sampleStandardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** Mean and variance (divisor: the sum of weights) of values that count `weight` times each; zeros when all weights are 0. */
export function weightedMoments(
  values: readonly number[],
  weights: readonly number[],
): { readonly mean: number; readonly variance: number } {
  let total = 0;
  let sum = 0;
  for (const [i, value] of values.entries()) {
    const weight = weights[i] ?? 0;
    total += weight;
    sum += weight * value;
  }
  if (total === 0) return { mean: 0, variance: 0 };
  const centre = sum / total;
  let squares = 0;
  for (const [i, value] of values.entries()) squares += (weights[i] ?? 0) * (value - centre) ** 2;
  return { mean: centre, variance: squares / total };
}
