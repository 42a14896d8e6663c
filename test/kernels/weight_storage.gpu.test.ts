import { expect } from "vitest";
import { Random } from "../../kernels/cases/inputs";
import { linearCase } from "../../kernels/linear.cases";
import { decodeWeights, weightStorages } from "../../kernels/weight_storage";
import { outputsOf, testBothLanes } from "./support";

testBothLanes("a stored weight gives the bits that its decoded values give", async (gpu) => {
  const shape = { rows: 9, inner: 68, outer: 20 };
  for (const storage of weightStorages) {
    const stored = linearCase({ ...shape, storage });
    const inputs = stored.inputs(new Random("stored"));
    const { weight } = inputs;
    if (!(weight instanceof Uint32Array)) throw new TypeError("stored weights are words");
    const decoded = decodeWeights(storage, weight, shape.outer * shape.inner);
    const { y } = await outputsOf(gpu, stored, inputs);
    const { y: wanted } = await outputsOf(gpu, linearCase(shape), { ...inputs, weight: decoded });
    expect(y, storage).toEqual(wanted);
  }
});
