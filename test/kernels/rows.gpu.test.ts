/** A row's bits are its own: the same alone, in any batch and in any order. */
import { expect } from "vitest";
import { type AttentionCaseShape, attentionCase } from "../../kernels/attention.cases";
import { withTiles } from "../../kernels/attention_tiles";
import type { Data } from "../../kernels/cases/case";
import { Random } from "../../kernels/cases/inputs";
import { rowsOf, rowTable, wholeSequences } from "../../kernels/cases/rows";
import { linearCase } from "../../kernels/linear.cases";
import { wholeRows } from "../../kernels/rms_norm";
import { rmsNormCase } from "../../kernels/rms_norm.cases";
import type { LogitsShape } from "../../kernels/sampling";
import { FULL, paddedLogits, sampleCase, tokenLogProbCase } from "../../kernels/sampling.cases";
import { at, must } from "../../src/base/must";
import type { GpuContext } from "../../src/gpu/context";
import { expectRowsIndependent, outputsOf, pickRows, splitRows, testBothLanes } from "./support";

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

testBothLanes("a row of a small batch equals that of a large one, over several blocks of the sum", async (gpu) => {
  const [rows, inner, outer] = [70, 1300, 36];
  const random = new Random("blocks");
  const x = random.normals(rows * inner);
  const rest = { weight: random.normals(outer * inner), bias: new Float32Array(4), residual: new Float32Array(4) };
  const all = await outputsOf(gpu, linearCase({ rows, inner, outer }), { x, ...rest });
  const few = await outputsOf(gpu, linearCase({ rows: 3, inner, outer }), { x: x.subarray(0, 3 * inner), ...rest });
  expect(splitRows(few.y, outer)).toEqual(splitRows(all.y, outer).slice(0, 3));
});

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

const SHORT: AttentionCaseShape = {
  spans: wholeSequences(7, 1, 11),
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  pageSize: 4,
  pagesPerSlot: 3,
};

/** Output and log-sum-exp of each row of a case, as words. */
async function attentionRows(gpu: GpuContext, shape: AttentionCaseShape, inputs: Readonly<Record<string, Data>>) {
  const rows = withTiles(rowTable(shape.spans)).table;
  const { out, logSumExp } = await outputsOf(gpu, attentionCase(shape), { ...inputs, rows });
  const statistics = splitRows(logSumExp, shape.heads);
  return splitRows(out, shape.heads * shape.headDim).map((row, i) => Uint32Array.from([...row, ...at(statistics, i)]));
}

/** Rows of whole sequences, each as a batch of its own slot. */
async function decodedRows(
  gpu: GpuContext,
  shape: AttentionCaseShape,
  inputs: Readonly<Record<string, Data>>,
  order: readonly number[],
) {
  const all = rowsOf(shape.spans);
  const spans = order.map((row) => {
    const { slot, position } = at(all, row);
    return { slot, from: position, to: position + 1 };
  });
  if (!(inputs.q instanceof Float32Array)) throw new TypeError("queries are f32");
  const q = pickRows(inputs.q, shape.heads * shape.headDim, order);
  return attentionRows(gpu, { ...shape, spans }, { ...inputs, q });
}

testBothLanes("a row decoded alone equals the row of a prefill, in any order and batch, to the bit", async (gpu) => {
  const inputs = attentionCase(SHORT).inputs(new Random("decode equals prefill"));
  const prefill = await attentionRows(gpu, SHORT, inputs);
  expect(prefill.every((row) => new Float32Array(row.buffer).every(Number.isFinite))).toBe(true);
  await expectRowsIndependent(prefill.length, (order) => decodedRows(gpu, SHORT, inputs, order));
  expect(await decodedRows(gpu, SHORT, inputs, [...prefill.keys()])).toEqual(prefill);
});

testBothLanes("rows around the ends of splits of keys equal those of a prefill, to the bit", async (gpu) => {
  const shape: AttentionCaseShape = {
    spans: wholeSequences(530),
    heads: 6,
    kvHeads: 2,
    headDim: 8,
    pageSize: 8,
    pagesPerSlot: 67,
  };
  const inputs = attentionCase(shape).inputs(new Random("splits"));
  const prefill = await attentionRows(gpu, shape, inputs);
  const order = [0, 7, 8, 15, 16, 254, 255, 256, 257, 511, 512, 529];
  expect(await decodedRows(gpu, shape, inputs, order)).toEqual(order.map((row) => prefill[row]));
});

testBothLanes("a token's draw and log-prob do not depend on the entries beside it", async (gpu) => {
  const shape: LogitsShape = { entries: 7, vocabulary: 150, stride: 152, slotLength: 4 };
  const random = new Random("entries");
  const logits = paddedLogits(random, shape);
  const settings = { ...FULL, temperature: 0.9, topP: 0.9 };
  await expectRowsIndependent(shape.entries, async (order) => {
    const part = { ...shape, entries: order.length };
    const entries = Uint32Array.from(order.flatMap((row, i) => [row, i, row % 4, 1000 + row]));
    const slotTokens = new Uint32Array(order.length * shape.slotLength);
    const drawn = await outputsOf(gpu, sampleCase(part, settings), { logits, entries, slotTokens });
    const thresholds = must(drawn.thresholds, "thresholds");
    const tokens = must(drawn.slotTokens, "slotTokens");
    const { statistics } = await outputsOf(gpu, tokenLogProbCase(part, { temperature: 0.9, truncated: true }), {
      logits,
      entries,
      slotTokens: tokens,
      thresholds: new Float32Array(thresholds.buffer, 0, order.length),
    });
    return splitRows(statistics, 4).map((row, i) =>
      Uint32Array.from([...row, at(thresholds, i), at(tokens, i * shape.slotLength + (at(order, i) % 4))]),
    );
  });
});
