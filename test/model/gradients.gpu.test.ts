import { describe, expect, test } from "vitest";
import { TrainingPass } from "../../src/model/policy-pass";
import { expectReference, freed, randomModel } from "../support/passes";
import {
  CONFIGS,
  downloadAll,
  largestDifference,
  randomBatch,
  randomCoefficients,
  shapeOf,
} from "../support/reference/models";
import { ReferenceModel } from "../support/reference/transformer";

/** The same number of sequences, all as long as the longest. */
function longest(lengths: readonly number[]): number[] {
  return lengths.map(() => Math.max(...lengths));
}

describe("gradients of every tensor equal the f64 reference", () => {
  describe.each([
    { pageSize: 4, temperature: 1, lengths: [9, 1, 40, 2, 17] },
    { pageSize: 8, temperature: 0.7, lengths: [3, 8, 26, 1] },
  ])("page size $pageSize, temperature $temperature", ({ pageSize, temperature, lengths }) => {
    test.each(Object.entries(CONFIGS))("%s", async (_, config) => {
      const { model, tensors } = await randomModel(config);
      const batch = randomBatch(config, lengths);
      const pass = freed(new TrainingPass(model, shapeOf(randomBatch(config, longest(lengths)), { pageSize })));
      const expected = new ReferenceModel(config, tensors).forward(batch, temperature);

      // A larger batch before, so that what it left in the buffers would show.
      const earlier = await pass.forward(randomBatch(config, longest(lengths), 5), 1);
      pass.backward(randomCoefficients(earlier.logprobs.length, 13));

      const statistics = await pass.forward(batch, temperature);
      expect(largestDifference(statistics.logprobs, expected.logprobs)).toBeLessThan(2e-5);
      expect(largestDifference(statistics.entropies, expected.entropies)).toBeLessThan(2e-5);

      const coefficients = randomCoefficients(expected.logprobs.length);
      pass.clearGradients();
      pass.backward(coefficients);
      const wanted = expected.backward(coefficients);
      const gradients = await downloadAll(pass.gradients);
      expectReference(gradients, wanted);
    });
  });
});
