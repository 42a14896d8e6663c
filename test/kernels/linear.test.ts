import { Random } from "../../kernels/cases";
import { linearCase, linearCases, linearGradients } from "../../kernels/linear.cases";
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
