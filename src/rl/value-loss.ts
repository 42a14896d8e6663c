/** The critic's part of the loss, token by token. */
import { mean } from "../base/statistics";
import { finite } from "./checks";

/** Sampled tokens of one trajectory. All lists have one entry per token. */
export interface ValuedTrajectory {
  /** V_t under the critic that is being differentiated. */
  readonly values: ArrayLike<number>;
  /** V_old,t: the same before the update; what the advantages were computed with. */
  readonly oldValues: ArrayLike<number>;
  /** R_t = A_t + V_old,t before any whitening, see `generalisedAdvantages`. */
  readonly returns: ArrayLike<number>;
  /** alpha: weight of each token in the loss, see `tokenWeights`. */
  readonly weight: number;
}

export interface ValueLoss {
  /** c_t = dL/dV_t, one per token; the backward pass of the critic starts from these. */
  readonly coefficients: Float64Array;
  /** L */
  readonly loss: number;
  readonly tokens: number;
  /** Tokens where the second term is the larger one. Divided by `tokens` it is the clip fraction. */
  readonly clipped: number;
}

/**
 * L = sum_t alpha 0.5 max((V_t - R_t)^2, (V_old,t + clamp(V_t - V_old,t, -e, e) - R_t)^2), the loss of PPO (arXiv
 * 1707.06347) with the clip that its published code has beside the paper's squared error. c_t = alpha (V_t - R_t), and
 * 0 where the second term is the larger one: there the value has moved by more than e towards its return.
 * @param clipRange e; null for the squared error alone
 * @throws RangeError when the lists differ in length or a number is not finite
 */
export function valueLoss(tokens: ValuedTrajectory, clipRange: number | null): ValueLoss {
  const { values, oldValues, returns, weight } = tokens;
  const count = values.length;
  if (oldValues.length !== count || returns.length !== count)
    throw new RangeError(`${count} values but ${oldValues.length} old values and ${returns.length} returns`);
  if (!Number.isFinite(weight)) throw new RangeError(`weight ${weight} is not a finite number`);
  const coefficients = new Float64Array(count);
  if (weight === 0) return { coefficients, loss: 0, tokens: 0, clipped: 0 };
  let loss = 0;
  let clipped = 0;
  for (let t = 0; t < count; t++) {
    const value = finite(values[t], "value", t);
    const old = finite(oldValues[t], "old value", t);
    const target = finite(returns[t], "return", t);
    const error = value - target;
    const held = heldError(value, old, target, clipRange);
    const isClipped = Math.abs(held) > Math.abs(error);
    loss += 0.5 * weight * (isClipped ? held : error) ** 2;
    clipped += Number(isClipped);
    // `|| 0` avoids a coefficient of -0.
    coefficients[t] = isClipped ? 0 : weight * error || 0;
  }
  return { coefficients, loss, tokens: count, clipped };
}

/** V_old + clamp(V - V_old, -e, e) - R. Within the range it is V - R to the bit, so that rounding never clips. */
function heldError(value: number, old: number, target: number, clipRange: number | null): number {
  const moved = value - old;
  if (clipRange === null || Math.abs(moved) <= clipRange) return value - target;
  return old + Math.sign(moved) * clipRange - target;
}

/**
 * 1 - Var(R - V) / Var(R): 1 of a perfect critic, 0 of one that knows a constant, below that worse. Null where the
 * returns do not vary.
 */
export function explainedVariance(values: ArrayLike<number>, returns: ArrayLike<number>): number | null {
  if (values.length !== returns.length) throw new RangeError(`${values.length} values but ${returns.length} returns`);
  const targets = Array.from(returns);
  const total = variance(targets);
  return total === 0 ? null : 1 - variance(targets.map((target, t) => target - (values[t] ?? Number.NaN))) / total;
}

function variance(numbers: readonly number[]): number {
  const centre = mean(numbers, 0);
  return mean(
    numbers.map((number) => (number - centre) ** 2),
    0,
  );
}
