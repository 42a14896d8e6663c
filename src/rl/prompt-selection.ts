/**
 * Which prompts are worth sampling, from what is known of them (MoPPS, arXiv 2507.04632): the success rate of each
 * prompt has a Beta posterior; a rate is drawn from each (Thompson sampling), and the prompts whose rate lies nearest
 * to the target are taken. Prompts that are solved half of the time teach most.
 */

/** Beta(alpha, beta) of a prompt's success rate. */
export interface BetaPosterior {
  readonly alpha: number;
  readonly beta: number;
}

/** Nothing known: all rates are as likely. */
export const PRIOR: BetaPosterior = { alpha: 1, beta: 1 };

/**
 * The posterior after `successes` of `trials`. The policy changes, so what was seen before fades towards the prior:
 * alpha' = retention alpha + (1 - retention) + successes, and beta alike.
 * @param retention in [0, 1]; 1 forgets nothing, the paper takes 0.5
 */
export function observed(
  { alpha, beta }: BetaPosterior,
  successes: number,
  trials: number,
  retention: number,
): BetaPosterior {
  if (!(successes >= 0 && trials >= successes))
    throw new RangeError(`${successes} successes in ${trials} trials cannot be`);
  const faded = (count: number, prior: number) => retention * count + (1 - retention) * prior;
  return { alpha: faded(alpha, PRIOR.alpha) + successes, beta: faded(beta, PRIOR.beta) + trials - successes };
}

/**
 * Indices of the `count` posteriors whose drawn rate lies nearest to `target`, ascending.
 * @param uniform numbers in [0, 1), independent of each other
 */
export function selectPrompts(
  posteriors: readonly BetaPosterior[],
  count: number,
  target: number,
  uniform: () => number,
): number[] {
  return posteriors
    .map((posterior, index) => ({ index, distance: Math.abs(drawBeta(posterior, uniform) - target) }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index)
    .slice(0, count)
    .map(({ index }) => index)
    .sort((a, b) => a - b);
}

/** A draw of Beta(alpha, beta), both at least 1: the share of one of two Gamma draws in their sum. */
function drawBeta({ alpha, beta }: BetaPosterior, uniform: () => number): number {
  const first = drawGamma(alpha, uniform);
  return first / (first + drawGamma(beta, uniform));
}

/**
 * A draw of Gamma(shape, 1) for a shape of at least 1 (Marsaglia and Tsang, "A simple method for generating gamma
 * variables", 2000).
 */
function drawGamma(shape: number, uniform: () => number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = drawNormal(uniform);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Box and Muller. */
function drawNormal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
