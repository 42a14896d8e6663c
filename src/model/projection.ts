/** Linear layers over parameters that may be cut into shards: the callers need not know. */
import { linear, linearInputGradient, linearWeightGradient } from "../../kernels/linear";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { Parameter, ParameterValues } from "./parameters";

/** y [rows, stride] = x W^T (+ bias) (+ residual). `stride` is W's rows unless y's rows are padded. */
export function project(
  gpu: GpuContext,
  weights: ParameterValues,
  parameter: Parameter,
  views: { x: BufferView; bias?: Parameter; residual?: BufferView; y: BufferView },
  rows: number,
  stride = parameter.rows,
): void {
  if (views.bias !== undefined && parameter.shards.length > 1) throw new Error("a biased projection is one shard");
  for (const shard of parameter.shards)
    linear(
      gpu,
      {
        x: views.x,
        weight: weights.view(parameter, shard),
        ...(views.bias === undefined ? {} : { bias: weights.vector(views.bias) }),
        ...(views.residual === undefined ? {} : { residual: views.residual }),
        y: views.y,
      },
      { rows, outer: shard.rows, inner: parameter.columns, stride, offset: shard.rowBegin },
    );
}

/** dx = dy W and dW += dy^T x. */
export function projectBackward(
  gpu: GpuContext,
  weights: ParameterValues,
  gradients: ParameterValues,
  parameter: Parameter,
  views: { x: BufferView; dy: BufferView; dx: BufferView },
  rows: number,
  stride = parameter.rows,
): void {
  parameter.shards.forEach((shard, index) => {
    const shape = { rows, outer: shard.rows, inner: parameter.columns, stride, offset: shard.rowBegin };
    linearInputGradient(gpu, { dy: views.dy, weight: weights.view(parameter, shard), dx: views.dx }, shape, index > 0);
    linearWeightGradient(gpu, { dy: views.dy, x: views.x, dweight: gradients.view(parameter, shard) }, shape);
  });
}
