import { expect, test } from "vitest";
import {
  type AttentionCaseShape,
  attentionCase,
  attentionCases,
  attentionGradients,
} from "../../kernels/attention.cases";
import { Random } from "../../kernels/cases";
import { embeddingCases, embeddingGradients } from "../../kernels/embedding.cases";
import { ropeCases, ropeGradients } from "../../kernels/rope.cases";
import { rowsOf, rowTable, wholeSequences } from "../../kernels/rows.cases";
import {
  expectRowsIndependent,
  outputsOf,
  pickRows,
  splitRows,
  testCases,
  testContext,
  testGradients,
} from "./support";

testCases([...embeddingCases, ...ropeCases, ...attentionCases]);
testGradients([...embeddingGradients, ...ropeGradients, ...attentionGradients]);

test("a row decoded alone equals the row of a prefill, in any order and batch, to the bit", async () => {
  const gpu = await testContext();
  const shape: AttentionCaseShape = {
    spans: wholeSequences(7, 1, 11),
    heads: 4,
    kvHeads: 2,
    headDim: 8,
    pageSize: 4,
    pagesPerSlot: 3,
  };
  const prefill = attentionCase(shape);
  const inputs = prefill.inputs(new Random("decode equals prefill"));
  const width = shape.heads * shape.headDim;
  const { q } = inputs;
  if (!(q instanceof Float32Array)) throw new TypeError("queries are f32");
  const all = rowsOf(shape.spans);
  await expectRowsIndependent(all.length, async (order) => {
    const spans = order.flatMap((row) => {
      const { slot = 0, position = 0 } = all[row] ?? {};
      return [{ slot, from: position, to: position + 1 }];
    });
    const decode = attentionCase({ ...shape, spans });
    const { out, logSumExp } = await outputsOf(gpu, decode, {
      ...inputs,
      rows: rowTable(spans),
      q: pickRows(q, width, order),
    });
    const statistics = splitRows(logSumExp, shape.heads);
    return splitRows(out, width).map((row, at) => Uint32Array.from([...row, ...(statistics[at] ?? [])]));
  });
  const { out } = await outputsOf(gpu, prefill, inputs);
  expect(new Float32Array((out ?? new Uint32Array()).buffer).every(Number.isFinite)).toBe(true);
});
