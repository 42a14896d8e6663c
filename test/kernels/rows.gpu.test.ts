import { Random } from "../../kernels/cases";
import { columnSumCases } from "../../kernels/column_sum.cases";
import { gatherCases } from "../../kernels/gather.cases";
import { kvCopyCases } from "../../kernels/kv_copy.cases";
import { wholeRows } from "../../kernels/rms_norm";
import { rmsNormCase, rmsNormCases, rmsNormGradients } from "../../kernels/rms_norm.cases";
import { storeHalvesCases } from "../../kernels/store_halves.cases";
import { swigluCases, swigluGradients } from "../../kernels/swiglu.cases";
import {
  expectRowsIndependent,
  outputsOf,
  pickRows,
  splitRows,
  testBothLanes,
  testCases,
  testGradients,
} from "./support";

testCases(rmsNormCases, { bothLanes: true });
testCases([...columnSumCases, ...swigluCases, ...gatherCases, ...kvCopyCases, ...storeHalvesCases]);
testGradients([...rmsNormGradients, ...swigluGradients]);

testBothLanes("a row of rms_norm does not depend on the rows beside it", async (gpu) => {
  const [rows, width] = [11, 100];
  const random = new Random("rms_norm rows");
  const x = random.normals(rows * width);
  const gain = random.normals(width);
  await expectRowsIndependent(rows, async (order) => {
    const kernelCase = rmsNormCase(wholeRows(order.length, width));
    const { y } = await outputsOf(gpu, kernelCase, { x: pickRows(x, width, order), gain });
    return splitRows(y, width);
  });
});
