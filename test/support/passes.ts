/** Random models and passes over them, freed when the test ends, and what tests expect of gradients. */
import { expect, onTestFinished } from "vitest";
import type { GpuContext } from "../../src/gpu/context";
import type { ModelConfig } from "../../src/model/config";
import type { CheckpointTensor } from "../../src/model/folder";
import type { Model, ModelOptions } from "../../src/model/model";
import { bitsOf, kindOf, modelContext, modelOf, randomTensors, relativeNormError } from "./reference/models";

/** Gradients of tensors by Hugging Face name. */
export type Gradients = ReadonlyMap<string, Float32Array>;

/** AdamW without decay, clipped at 1. */
export const ADAMW = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxNorm: 1 };

/** The part itself, which is destroyed when the test ends: not for tests of what `destroy` does. */
export function freed<Part extends { destroy(): void }>(part: Part): Part {
  onTestFinished(() => part.destroy());
  return part;
}

/** A model with random weights, and these as the reference takes them. */
export async function randomModel(
  config: ModelConfig,
  options: ModelOptions = {},
  seed = 1,
): Promise<{ gpu: GpuContext; model: Model; tensors: CheckpointTensor[] }> {
  const gpu = await modelContext();
  const tensors = randomTensors(config, seed);
  return { gpu, model: freed(modelOf(gpu, config, tensors, options)), tensors };
}

export function expectSameBits(actual: Gradients, expected: Gradients): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, gradient] of expected) expect(bitsOf(gradientOf(actual, name)), name).toEqual(bitsOf(gradient));
}

/** Within the rounding of sums that are added up in another order. */
export function expectClose(actual: Gradients, expected: Gradients): void {
  for (const [name, gradient] of expected)
    expect(relativeNormError(gradientOf(actual, name), gradient), name).toBeLessThan(1e-6);
}

export function expectZero(gradients: Gradients): void {
  for (const [name, gradient] of gradients)
    expect(
      gradient.every((value) => value === 0),
      name,
    ).toBe(true);
}

/** Gradients of all tensors within `bound` of the f64 reference, relative to their norm. */
export function expectReference(
  gradients: Gradients,
  reference: ReadonlyMap<string, ArrayLike<number>>,
  bound = 2e-5,
): void {
  expect([...gradients.keys()]).toEqual([...reference.keys()]);
  // The worst tensor of each kind, so that a failure says which part of the backward pass is wrong.
  const errors = new Map<string, number>();
  for (const [name, wanted] of reference) {
    const error = relativeNormError(gradientOf(gradients, name), wanted);
    errors.set(kindOf(name), Math.max(error, errors.get(kindOf(name)) ?? 0));
  }
  for (const [kind, error] of errors) expect(error, kind).toBeLessThan(bound);
}

/** The gradient of a tensor. @throws Error when there is none: an empty one would pass every comparison */
export function gradientOf(gradients: Gradients, name: string): Float32Array {
  const gradient = gradients.get(name);
  if (gradient === undefined) throw new Error(`there is no gradient of ${name}`);
  return gradient;
}
