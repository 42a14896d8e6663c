/** AdamW in f64 between moments of 8 bits that are decoded before the step and encoded after it. */

import type { AdamWStep } from "./adamw";
import { adamwReference } from "./adamw.reference";
import { decodeMoments, encodeMoments, type MomentKind, type StoredMoments } from "./adamw_8bit";
import { Tensor } from "./tensor";

export interface AdamW8bitState {
  readonly weight: Tensor;
  readonly first: StoredMoments;
  readonly second: StoredMoments;
}

/** One step, as {@link adamwReference}; the new moments are rounded to f32 before they are encoded. */
export function adamw8bitReference(
  state: AdamW8bitState,
  gradient: Tensor,
  norm: number,
  decayEnd: number,
  step: AdamWStep,
): AdamW8bitState {
  const count = gradient.size(0);
  const decoded = (kind: MomentKind) => new Tensor([count], decodeMoments(kind, state[kind], count));
  const before = { weight: state.weight, firstMoment: decoded("first"), secondMoment: decoded("second") };
  const after = adamwReference(before, gradient, norm, decayEnd, step);
  return {
    weight: after.weight,
    first: encodeMoments("first", Float32Array.from(after.firstMoment.data)),
    second: encodeMoments("second", Float32Array.from(after.secondMoment.data)),
  };
}
