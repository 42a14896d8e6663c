/** Estimators over K samples per question. */

/**
 * Unbiased pass@k of n samples of which c are right: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374).
 */
export function passAtK(n: number, c: number, k: number): number {
  if (k > n) throw new RangeError(`pass@${k} needs at least ${k} samples, not ${n}`);
  if (n - c < k) return 1;
  let miss = 1;
  for (let i = n - c + 1; i <= n; i++) miss *= 1 - k / i;
  return 1 - miss;
}

/**
 * Whether the most frequent answer is right (maj@k). Right answers are one class, since each equals the gold one; wrong
 * ones are compared as text. No answer (null) is no vote; of equally frequent classes the first wins.
 */
export function majorityIsRight(
  votes: readonly { readonly answer: string | null; readonly correct: boolean }[],
): boolean {
  const right = { count: 0, correct: true };
  const tally = new Map<string | typeof right, { count: number; correct: boolean }>();
  for (const { answer, correct } of votes) {
    if (answer === null) continue;
    const entry = correct ? right : (tally.get(answer) ?? { count: 0, correct });
    entry.count++;
    tally.set(correct ? right : answer, entry);
  }
  let best: { count: number; correct: boolean } | undefined;
  for (const entry of tally.values()) if (best === undefined || entry.count > best.count) best = entry;
  return best?.correct ?? false;
}
