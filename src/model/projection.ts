/**
 * Linear layers over parameters that may be cut into shards, stored in fewer bits, or changed by a low-rank
 * adapter; callers see one matrix.
 */
import { linear, linearInputGradient, linearWeightGradient } from "../../kernels/linear";
import { linearGated, linearGatedInputGradient } from "../../kernels/linear_gated";
import { swiglu, swigluBackward } from "../../kernels/swiglu";
import { must } from "../base/must";
import { type BufferView, subview } from "../gpu/buffers";
import type { Model } from "./model";
import type { Parameter, Shard } from "./segments";
import type { ParameterValues } from "./values";

const WORKSPACE = "the workspace of the adapter";

/** Where gradients are added to. What is not trained is absent. */
export interface GradientTargets {
  readonly model: ParameterValues | undefined;
  readonly adapter: ParameterValues | undefined;
}

/**
 * y [rows, stride] = x W^T (+ bias) (+ residual). `stride` is W's rows unless y's rows are padded. `low` [rows, rank]
 * is workspace of the adapter.
 */
export function project(
  model: Pick<Model, "gpu" | "weights" | "activeAdapter">,
  parameter: Parameter,
  views: { x: BufferView; bias?: Parameter; residual?: BufferView; y: BufferView; low?: BufferView | undefined },
  rows: number,
  stride = parameter.rows,
): void {
  const { gpu, weights, activeAdapter } = model;
  const storage = weights.storageOf(parameter);
  for (const shard of parameter.shards)
    linear(
      gpu,
      {
        x: views.x,
        weight: weights.view(parameter, shard),
        ...(views.bias === undefined ? {} : { bias: biasOf(weights, views.bias, shard) }),
        ...(views.residual === undefined ? {} : { residual: views.residual }),
        y: views.y,
      },
      { rows, outer: shard.rows, inner: parameter.columns, stride, offset: shard.rowBegin, storage },
    );
  if (activeAdapter === undefined) return;
  const { weights: values, scale } = activeAdapter;
  const { filledRank: rank } = activeAdapter.layout;
  for (const { down, up, rowBegin } of activeAdapter.layout.of(parameter)) {
    const low = must(views.low, WORKSPACE);
    linear(
      gpu,
      { x: views.x, weight: values.vector(down), y: low },
      { rows, outer: rank, inner: parameter.columns, scale },
    );
    linear(
      gpu,
      { x: low, weight: values.vector(up), y: views.y },
      { rows, outer: up.rows, inner: rank, stride, offset: rowBegin },
      true,
    );
  }
}

/**
 * dx = dy W (of all that {@link project} adds up), and the gradients of what is trained. `low` and `dlow` [rows, rank]
 * are workspace of the adapter.
 */
export function projectBackward(
  model: Pick<Model, "gpu" | "weights" | "activeAdapter">,
  gradients: GradientTargets,
  parameter: Parameter,
  views: { x: BufferView; dy: BufferView; dx: BufferView; low?: BufferView | undefined; dlow?: BufferView | undefined },
  rows: number,
  stride = parameter.rows,
): void {
  const { gpu, weights, activeAdapter } = model;
  const { x, dy, dx } = views;
  const storage = weights.storageOf(parameter);
  parameter.shards.forEach((shard, index) => {
    const shape = { rows, outer: shard.rows, inner: parameter.columns, stride, offset: shard.rowBegin, storage };
    linearInputGradient(gpu, { dy, weight: weights.view(parameter, shard), dx }, shape, index > 0);
    if (gradients.model !== undefined)
      linearWeightGradient(gpu, { dy, x, dweight: gradients.model.view(parameter, shard) }, shape);
  });
  if (activeAdapter === undefined) return;
  const { weights: values, scale } = activeAdapter;
  const { filledRank: rank } = activeAdapter.layout;
  const inner = parameter.columns;
  for (const { down, up, rowBegin } of activeAdapter.layout.of(parameter)) {
    const [low, dlow] = [must(views.low, WORKSPACE), must(views.dlow, WORKSPACE)];
    const part = { rows, outer: up.rows, inner: rank, stride, offset: rowBegin };
    // The scale stands in the low-rank values on both ways, so that no gradient needs it again.
    linearInputGradient(gpu, { dy, weight: values.vector(up), dx: dlow }, { ...part, scale });
    linearInputGradient(gpu, { dy: dlow, weight: values.vector(down), dx }, { rows, outer: rank, inner }, true);
    if (gradients.adapter === undefined) continue;
    linear(gpu, { x, weight: values.vector(down), y: low }, { rows, outer: rank, inner, scale });
    linearWeightGradient(gpu, { dy, x: low, dweight: gradients.adapter.vector(up) }, part);
    linearWeightGradient(gpu, { dy: dlow, x, dweight: gradients.adapter.vector(down) }, { rows, outer: rank, inner });
  }
}

/** Gate and up [rows, 2 width] = x W^T, and activated [rows, width] = silu(gate) * up. */
export function projectGated(
  model: Pick<Model, "gpu" | "weights" | "activeAdapter">,
  parameter: Parameter,
  views: { x: BufferView; gateUp: BufferView; activated: BufferView; low?: BufferView | undefined },
  rows: number,
): void {
  const { gpu, weights } = model;
  const { x, gateUp, activated, low } = views;
  const shape = { rows, width: parameter.rows / 2 };
  const shard = wholeMatrix(model, parameter);
  if (shard === undefined) {
    project(model, parameter, { x, y: gateUp, low }, rows);
    swiglu(gpu, { gateUp, y: activated }, shape);
    return;
  }
  const weight = weights.view(parameter, shard);
  const storage = weights.storageOf(parameter);
  linearGated(gpu, { x, weight, gateUp, activated }, { ...shape, inner: parameter.columns, storage });
}

/**
 * {@link projectBackward} of the layer behind {@link projectGated}, whose x is `activated`, carried on to dgateUp.
 * `dactivated` is workspace.
 */
export function projectGatedBackward(
  model: Pick<Model, "gpu" | "weights" | "activeAdapter">,
  gradients: GradientTargets,
  parameter: Parameter,
  views: {
    activated: BufferView;
    gateUp: BufferView;
    dy: BufferView;
    dgateUp: BufferView;
    dactivated: BufferView;
    low?: BufferView | undefined;
    dlow?: BufferView | undefined;
  },
  rows: number,
): void {
  const { gpu, weights } = model;
  const { activated, gateUp, dy, dgateUp, dactivated, low, dlow } = views;
  const width = parameter.columns;
  const shard = wholeMatrix(model, parameter);
  if (shard === undefined) {
    projectBackward(model, gradients, parameter, { x: activated, dy, dx: dactivated, low, dlow }, rows);
    swigluBackward(gpu, { gateUp, dy: dactivated, dgateUp }, { rows, width });
    return;
  }
  const outer = parameter.rows;
  const storage = weights.storageOf(parameter);
  const weight = weights.view(parameter, shard);
  linearGatedInputGradient(gpu, { dy, weight, gateUp, dgateUp, dactivated }, { rows, outer, width, storage });
  if (gradients.model === undefined) return;
  const dweight = gradients.model.view(parameter, shard);
  linearWeightGradient(gpu, { dy, x: activated, dweight }, { rows, outer, inner: width });
}

/** The only shard of a matrix that no adapter changes: what one dispatch can take whole. */
function wholeMatrix({ activeAdapter }: Pick<Model, "activeAdapter">, parameter: Parameter): Shard | undefined {
  const { shards } = parameter;
  const isAdapted = activeAdapter !== undefined && activeAdapter.layout.of(parameter).length > 0;
  return shards.length === 1 && !isAdapted ? shards[0] : undefined;
}

/**
 * The part of a bias that belongs to a shard of the matrix; shards begin at multiples of 64 rows, where a binding may.
 */
function biasOf(weights: ParameterValues, bias: Parameter, { rowBegin, rows }: Shard): BufferView {
  const whole = weights.vector(bias);
  return rows * 4 === whole.size ? whole : subview(whole, rowBegin * 4, rows * 4);
}
