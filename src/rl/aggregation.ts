/**
 * How token losses f become one loss, with m = 1 on sampled tokens, n_i = sum_t m, k_i = 1 on kept trajectories, N =
 * sum_i k_i n_i and S the number of kept trajectories that have a token:
 * - `token-mean`: (1/N) sum_i sum_t m f (DAPO, ZeroTIR)
 * - `seq-mean-token-mean`: (1/S) sum_i (1/n_i) sum_t m f (GRPO)
 * - `seq-mean-token-sum`: (1/S) sum_i sum_t m f
 * - `seq-mean-token-sum-norm`: (1/(S L)) sum_i sum_t m f with a constant L (Dr. GRPO)
 */
export type Aggregation = "token-mean" | "seq-mean-token-mean" | "seq-mean-token-sum" | "seq-mean-token-sum-norm";

export interface AggregationOptions {
  readonly mode: Aggregation;
  /** L of `seq-mean-token-sum-norm`: the maximum completion length. */
  readonly lengthNorm?: number;
}

/**
 * The weight alpha_i that each sampled token of trajectory i has in the loss. Computed over the whole optimizer batch,
 * before it is cut into micro-batches, whose losses and gradients then simply add up.
 * @param actionTokens n_i. @param keep k_i; all kept when absent.
 * @returns alpha_i; 0 for trajectories that are dropped or have no sampled token.
 * @throws RangeError when L is needed and missing, or the lists differ in length.
 */
export function tokenWeights(
  actionTokens: readonly number[],
  options: AggregationOptions,
  keep?: readonly boolean[],
): number[] {
  if (keep !== undefined && keep.length !== actionTokens.length)
    throw new RangeError(`${keep.length} keep flags for ${actionTokens.length} trajectories`);
  const counts = actionTokens.map((count, i) => (keep?.[i] === false ? 0 : count));
  const tokens = Math.max(
    counts.reduce((sum, count) => sum + count, 0),
    1,
  );
  const sequences = Math.max(counts.filter((count) => count > 0).length, 1);
  const weight = (count: number): number => {
    switch (options.mode) {
      case "token-mean":
        return 1 / tokens;
      case "seq-mean-token-mean":
        return 1 / (sequences * count);
      case "seq-mean-token-sum":
        return 1 / sequences;
      case "seq-mean-token-sum-norm":
        return 1 / (sequences * lengthNorm(options));
    }
  };
  return counts.map((count) => (count === 0 ? 0 : weight(count)));
}

function lengthNorm({ lengthNorm }: AggregationOptions): number {
  if (lengthNorm !== undefined && lengthNorm > 0) return lengthNorm;
  throw new RangeError("aggregation seq-mean-token-sum-norm needs lengthNorm > 0, the maximum completion length");
}
