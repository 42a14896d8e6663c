/** Holds the f64 reference itself to central differences, so that the GPU is not measured against a wrong ruler. */
import { describe, expect, test } from "vitest";
import {
  CONFIGS,
  randomBatch,
  randomCoefficients,
  randomTensors,
  relativeNormError,
} from "../support/reference/models";
import { at } from "../support/reference/tape";
import { ReferenceModel } from "../support/reference/transformer";

const tiny = { hiddenSize: 8, intermediateSize: 8, layerCount: 2, headDim: 4, vocabularySize: 11 };

describe("the reference's gradient equals central differences", () => {
  test.each(Object.entries(CONFIGS))("%s", (_, full) => {
    const config = { ...full, ...tiny };
    const model = new ReferenceModel(config, randomTensors(config));
    const batch = randomBatch(config, [5, 1, 3]);
    const temperature = 0.8;
    const pass = model.forward(batch, temperature);
    const coefficients = randomCoefficients(pass.logprobs.length);
    const gradients = pass.backward(coefficients);
    const loss = () =>
      model.forward(batch, temperature).logprobs.reduce((sum, l, i) => sum + l * at(coefficients, i), 0);
    for (const [name, { data }] of model.parameters) {
      const step = 1e-5;
      const differences = data.map((value, i) => {
        data[i] = value + step;
        const above = loss();
        data[i] = value - step;
        const below = loss();
        data[i] = value;
        return (above - below) / (2 * step);
      });
      expect(relativeNormError(gradients.get(name) ?? [], differences), name).toBeLessThan(1e-7);
    }
  });
});
