/** f64 maths of the linear layer: y = s x W^T + b + r. */
import { sum, Tensor } from "./tensor";

/** x [M, K], weight [N, K], bias [N], residual [M, N] -> y [M, N]. */
export function linearReference(x: Tensor, weight: Tensor, bias?: Tensor, residual?: Tensor, scale = 1): Tensor {
  const y = new Tensor([x.size(0), weight.size(0)]);
  for (let m = 0; m < x.size(0); m++)
    for (let n = 0; n < weight.size(0); n++) {
      const product = sum(x.size(1), (k) => x.at(m, k) * weight.at(n, k));
      y.set(scale * product + (bias?.at(n) ?? 0) + (residual?.at(m, n) ?? 0), m, n);
    }
  return y;
}

/** dx = s dy W. */
export function linearInputGradientReference(dy: Tensor, weight: Tensor, scale = 1): Tensor {
  const dx = new Tensor([dy.size(0), weight.size(1)]);
  for (let m = 0; m < dy.size(0); m++)
    for (let k = 0; k < weight.size(1); k++)
      dx.set(scale * sum(weight.size(0), (n) => dy.at(m, n) * weight.at(n, k)), m, k);
  return dx;
}

/** dW = dy^T x. */
export function linearWeightGradientReference(dy: Tensor, x: Tensor): Tensor {
  const dweight = new Tensor([dy.size(1), x.size(1)]);
  for (let n = 0; n < dy.size(1); n++)
    for (let k = 0; k < x.size(1); k++)
      dweight.set(
        sum(dy.size(0), (m) => dy.at(m, n) * x.at(m, k)),
        n,
        k,
      );
  return dweight;
}
