/**
 * Returns-to-go of a trajectory's sampled tokens: G_t = sum_{s >= t} gamma^(s - t) rho_s, where rho_s is the token's
 * own reward and the last token has the outcome on top (REINFORCE++, arXiv 2501.03262). Observations are no time steps
 * and never come here.
 * @param outcome R. @param tokenRewards rho_s before the outcome, such as -beta times a KL estimate: one per sampled
 * token.
 * @throws RangeError when a number is not finite.
 */
export function returnsToGo(outcome: number, tokenRewards: ArrayLike<number>, discount: number): Float64Array {
  const returns = new Float64Array(tokenRewards.length);
  let running = outcome;
  for (let t = returns.length - 1; t >= 0; t--) {
    running = (tokenRewards[t] ?? Number.NaN) + (t === returns.length - 1 ? outcome : discount * running);
    if (!Number.isFinite(running)) throw new RangeError(`the return of token ${t} is ${running}, not a finite number`);
    returns[t] = running;
  }
  return returns;
}
