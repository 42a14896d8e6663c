/** f64 maths of AdamW (Loshchilov and Hutter 2019). */
import type { AdamWStep } from "./adamw";
import { Tensor } from "./tensor";

export interface AdamWState {
  readonly weight: Tensor;
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
}

/**
 * One step, `step` counting from 1. The gradient is scaled down to `maxNorm` (0: never) by the given norm; only
 * elements below `decayEnd` decay.
 */
export function adamwReference(
  state: AdamWState,
  gradient: Tensor,
  norm: number,
  decayEnd: number,
  hyper: Omit<AdamWStep, "skipNorm">,
): AdamWState {
  const { step, learningRate, beta1, beta2, epsilon, weightDecay, maxNorm } = hyper;
  const scale = maxNorm > 0 ? Math.min(1, maxNorm / norm) : 1;
  const count = gradient.size(0);
  const after = { weight: new Tensor([count]), firstMoment: new Tensor([count]), secondMoment: new Tensor([count]) };
  for (let i = 0; i < count; i++) {
    const g = gradient.at(i) * scale;
    const m = beta1 * state.firstMoment.at(i) + (1 - beta1) * g;
    const v = beta2 * state.secondMoment.at(i) + (1 - beta2) * g ** 2;
    const direction = m / (1 - beta1 ** step) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
    const w = state.weight.at(i);
    after.firstMoment.set(m, i);
    after.secondMoment.set(v, i);
    after.weight.set(w - learningRate * (direction + (i < decayEnd ? weightDecay * w : 0)), i);
  }
  return after;
}
