/** One transformer block (pre-norm, grouped-query attention, SwiGLU): forward and hand-written backward. */
import { attention, attentionBackward } from "../../kernels/attention";
import { columnSum } from "../../kernels/column_sum";
import { rmsNorm, rmsNormBackward, type VectorShape, wholeRows } from "../../kernels/rms_norm";
import { ropeBackward, ropeWrite } from "../../kernels/rope";
import { at } from "../base/must";
import type { BufferView } from "../gpu/buffers";
import type { Activations, LayerActivations, LayerGradients } from "./activations";
import type { ModelConfig } from "./config";
import type { Model } from "./model";
import type { LayerParameters } from "./parameters";
import { type GradientTargets, project, projectBackward, projectGated, projectGatedBackward } from "./projection";
import type { BatchRows } from "./row-table";
import type { SequenceTables } from "./sequences";

/** The buffers and parameters of one layer. */
function layerOf(model: Model, layer: number, activations: Activations) {
  return {
    input: at(activations.inputs, layer),
    output: at(activations.inputs, layer + 1),
    kept: at(activations.layers, layer),
    parameters: at(model.layout.layers, layer),
  };
}

function pagesOf(tables: SequenceTables, layer: number): { kPages: BufferView; vPages: BufferView } {
  return { kPages: at(tables.kPages, layer), vPages: at(tables.vPages, layer) };
}

/** Query heads and key heads as vectors inside the rows of the projection. */
function headVectors(config: ModelConfig, rows: number): { query: VectorShape; key: VectorShape } {
  const rowStride = (config.headCount + 2 * config.kvHeadCount) * config.headDim;
  return {
    query: { rows, vectorsPerRow: config.headCount, width: config.headDim, rowStride, vectorOffset: 0 },
    key: {
      rows,
      vectorsPerRow: config.kvHeadCount,
      width: config.headDim,
      rowStride,
      vectorOffset: config.headCount * config.headDim,
    },
  };
}

function attentionShape(config: ModelConfig, tables: SequenceTables, { count, tiles }: BatchRows) {
  return {
    rows: count,
    tiles,
    heads: config.headCount,
    kvHeads: config.kvHeadCount,
    headDim: config.headDim,
    ...tables.pageShape,
  };
}

/**
 * Reads `activations.inputs[layer]`, writes `activations.inputs[layer + 1]` and everything in
 * `activations.layers[layer]`.
 */
export function layerForward(
  model: Model,
  layer: number,
  tables: SequenceTables,
  activations: Activations,
  batch: BatchRows,
): void {
  const { gpu, config, weights } = model;
  const { view: rows, count: rowCount } = batch;
  const { low } = activations;
  const { input, output, kept, parameters } = layerOf(model, layer, activations);
  const whole = wholeRows(rowCount, config.hiddenSize);
  const shape = attentionShape(config, tables, batch);
  const pages = pagesOf(tables, layer);

  rmsNorm(
    gpu,
    { x: input, gain: weights.vector(parameters.attentionNorm), y: kept.attentionNormed, rstd: kept.attentionRstd },
    whole,
    config.rmsNormEpsilon,
  );
  project(
    model,
    parameters.qkv,
    {
      x: kept.attentionNormed,
      ...(parameters.qkvBias === undefined ? {} : { bias: parameters.qkvBias }),
      y: kept.qkv,
      low,
    },
    rowCount,
  );
  const qk = normaliseHeads(model, parameters, kept, rowCount);
  ropeWrite(
    gpu,
    { rows, slotPages: tables.slotPages, rotations: model.rotations, qk, qkv: kept.qkv, q: kept.q, ...pages },
    shape,
  );
  attention(
    gpu,
    { rows, slotPages: tables.slotPages, q: kept.q, ...pages, out: kept.attentionOut, logSumExp: kept.logSumExp },
    shape,
  );
  project(model, parameters.attentionOut, { x: kept.attentionOut, residual: input, y: kept.middle, low }, rowCount);
  rmsNorm(
    gpu,
    { x: kept.middle, gain: weights.vector(parameters.mlpNorm), y: kept.mlpNormed, rstd: kept.mlpRstd },
    whole,
    config.rmsNormEpsilon,
  );
  const gated = { x: kept.mlpNormed, gateUp: kept.gateUp, activated: kept.activated, low };
  projectGated(model, parameters.gateUp, gated, rowCount);
  project(model, parameters.down, { x: kept.activated, residual: kept.middle, y: output, low }, rowCount);
}

/** With query and key norms (Qwen3) the normalised copy of the projection, else the projection itself. */
function normaliseHeads(
  model: Model,
  parameters: LayerParameters,
  kept: LayerActivations,
  rowCount: number,
): BufferView {
  const { queryNorm, keyNorm } = parameters;
  const { normedQkv, queryRstd, keyRstd } = kept;
  if (!queryNorm || !keyNorm || !normedQkv || !queryRstd || !keyRstd) return kept.qkv;
  const { gpu, weights, config } = model;
  const vectors = headVectors(config, rowCount);
  const epsilon = config.rmsNormEpsilon;
  rmsNorm(gpu, { x: kept.qkv, gain: weights.vector(queryNorm), y: normedQkv, rstd: queryRstd }, vectors.query, epsilon);
  rmsNorm(gpu, { x: kept.qkv, gain: weights.vector(keyNorm), y: normedQkv, rstd: keyRstd }, vectors.key, epsilon);
  return normedQkv;
}

/**
 * Backward pass of {@link layerForward}: reads `work.doutput`, the gradient of the layer's output, leaves that of its
 * input in `work.dinput`, and adds to the parameters' gradients. Rows must be whole sequences from position 0, each
 * one's rows together and ascending.
 */
export function layerBackward(
  model: Model,
  gradients: GradientTargets,
  layer: number,
  tables: SequenceTables,
  activations: Activations,
  batch: BatchRows,
  work: LayerGradients,
): void {
  const { gpu, config, weights } = model;
  const { view: rows, count: rowCount } = batch;
  const { input, kept, parameters } = layerOf(model, layer, activations);
  const { low, dlow } = work;
  const whole = wholeRows(rowCount, config.hiddenSize);
  const shape = attentionShape(config, tables, batch);
  const pages = pagesOf(tables, layer);

  projectGatedBackward(
    model,
    gradients,
    parameters.down,
    {
      activated: kept.activated,
      gateUp: kept.gateUp,
      dy: work.doutput,
      dgateUp: work.dgateUp,
      dactivated: work.dactivated,
      low,
      dlow,
    },
    rowCount,
  );
  projectBackward(
    model,
    gradients,
    parameters.gateUp,
    { x: kept.mlpNormed, dy: work.dgateUp, dx: work.dnormed, low, dlow },
    rowCount,
  );
  if (gradients.model !== undefined)
    columnSum(
      gpu,
      {
        dy: work.dnormed,
        normalised: { x: kept.middle, rstd: kept.mlpRstd },
        partials: work.partials,
        gradient: gradients.model.vector(parameters.mlpNorm),
      },
      whole,
    );
  rmsNormBackward(
    gpu,
    {
      x: kept.middle,
      gain: weights.vector(parameters.mlpNorm),
      rstd: kept.mlpRstd,
      dy: work.dnormed,
      residualGradient: work.doutput,
      dx: work.dmiddle,
    },
    whole,
  );
  projectBackward(
    model,
    gradients,
    parameters.attentionOut,
    { x: kept.attentionOut, dy: work.dmiddle, dx: work.dattention, low, dlow },
    rowCount,
  );
  attentionBackward(
    gpu,
    {
      rows,
      slotPages: tables.slotPages,
      q: kept.q,
      ...pages,
      out: kept.attentionOut,
      logSumExp: kept.logSumExp,
      dout: work.dattention,
      rowStatistics: work.rowStatistics,
      dq: work.dq,
      dkv: work.dkv,
    },
    shape,
  );
  ropeBackward(gpu, { rows, rotations: model.rotations, dq: work.dq, dkv: work.dkv, dqkv: work.dqkv }, shape);
  const dqkv = normaliseHeadsBackward(model, gradients, parameters, kept, work, rowCount);
  if (parameters.qkvBias !== undefined && gradients.model !== undefined)
    columnSum(
      gpu,
      { dy: dqkv, partials: work.partials, gradient: gradients.model.vector(parameters.qkvBias) },
      wholeRows(rowCount, parameters.qkv.rows),
    );
  projectBackward(
    model,
    gradients,
    parameters.qkv,
    { x: kept.attentionNormed, dy: dqkv, dx: work.dnormed, low, dlow },
    rowCount,
  );
  if (gradients.model !== undefined)
    columnSum(
      gpu,
      {
        dy: work.dnormed,
        normalised: { x: input, rstd: kept.attentionRstd },
        partials: work.partials,
        gradient: gradients.model.vector(parameters.attentionNorm),
      },
      whole,
    );
  rmsNormBackward(
    gpu,
    {
      x: input,
      gain: weights.vector(parameters.attentionNorm),
      rstd: kept.attentionRstd,
      dy: work.dnormed,
      residualGradient: work.dmiddle,
      dx: work.dinput,
    },
    whole,
  );
}

/** Gradient through the query and key norms; the value part of the projection is copied. */
function normaliseHeadsBackward(
  model: Model,
  gradients: GradientTargets,
  parameters: LayerParameters,
  kept: LayerActivations,
  work: LayerGradients,
  rowCount: number,
): BufferView {
  const { queryNorm, keyNorm } = parameters;
  const { queryRstd, keyRstd } = kept;
  const { dprojection } = work;
  if (!queryNorm || !keyNorm || !queryRstd || !keyRstd || !dprojection) return work.dqkv;
  const { gpu, weights, config } = model;
  const vectors = headVectors(config, rowCount);
  gpu.recorder.copy(work.dqkv, dprojection, rowCount * parameters.qkv.rows * 4);
  for (const [norm, rstd, shape] of [
    [queryNorm, queryRstd, vectors.query],
    [keyNorm, keyRstd, vectors.key],
  ] as const) {
    if (gradients.model !== undefined)
      columnSum(
        gpu,
        {
          dy: work.dqkv,
          normalised: { x: kept.qkv, rstd },
          partials: work.partials,
          gradient: gradients.model.vector(norm),
        },
        shape,
      );
    rmsNormBackward(gpu, { x: kept.qkv, gain: weights.vector(norm), rstd, dy: work.dqkv, dx: dprojection }, shape);
  }
  return dprojection;
}
