import { expect } from "vitest";
import { Random } from "../../kernels/cases";
import { linearCase, linearCases, linearGradients } from "../../kernels/linear.cases";
import { decodeWeights, weightStorages } from "../../kernels/weight_storage";
import {
  expectRowsIndependent,
  outputsOf,
  pickRows,
  splitRows,
  testBothLanes,
  testCases,
  testGradients,
} from "./support";

testCases(linearCases, { bothLanes: true });
testGradients(linearGradients);

testBothLanes("a row of y does not depend on the rows beside it", async (gpu) => {
  const [rows, inner, outer] = [19, 44, 40];
  const random = new Random("linear rows");
  const x = random.normals(rows * inner);
  const rest = { weight: random.normals(outer * inner), bias: new Float32Array(4), residual: new Float32Array(4) };
  await expectRowsIndependent(rows, async (order) => {
    const kernelCase = linearCase({ rows: order.length, inner, outer });
    const { y } = await outputsOf(gpu, kernelCase, { x: pickRows(x, inner, order), ...rest });
    return splitRows(y, outer);
  });
});

testBothLanes("a stored weight gives the bits that its decoded values give", async (gpu) => {
  const shape = { rows: 9, inner: 68, outer: 20 };
  for (const storage of weightStorages) {
    const stored = linearCase({ ...shape, storage });
    const inputs = stored.inputs(new Random("stored"));
    const weight = inputs.weight instanceof Uint32Array ? inputs.weight : new Uint32Array();
    const decoded = decodeWeights(storage, weight, shape.outer * shape.inner);
    const { y } = await outputsOf(gpu, stored, inputs);
    const { y: wanted } = await outputsOf(gpu, linearCase(shape), { ...inputs, weight: decoded });
    expect(y, storage).toEqual(wanted);
  }
});
