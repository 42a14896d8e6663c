/** f64 maths of RMSNorm over vectors: y = x / sqrt(mean(x^2) + epsilon) * gain. */
import { sum, Tensor } from "./tensor";

/** 1 / sqrt(mean(x^2) + epsilon) of each vector; x [vectors, width]. */
export function rstdReference(x: Tensor, epsilon: number): Tensor {
  const rstd = new Tensor([x.size(0)]);
  for (let v = 0; v < x.size(0); v++)
    rstd.set(1 / Math.sqrt(sum(x.size(1), (c) => x.at(v, c) ** 2) / x.size(1) + epsilon), v);
  return rstd;
}

/** x [vectors, width], gain [width] -> y [vectors, width]. */
export function rmsNormReference(x: Tensor, gain: Tensor, epsilon: number): Tensor {
  const rstd = rstdReference(x, epsilon);
  const y = new Tensor(x.shape);
  for (let v = 0; v < x.size(0); v++)
    for (let c = 0; c < x.size(1); c++) y.set(x.at(v, c) * rstd.at(v) * gain.at(c), v, c);
  return y;
}

/**
 * With n = x rstd and u = gain dy: drstd/dx_c = -rstd^3 x_c / width, so dx_c = rstd u_c - rstd^3 x_c mean(u x), and
 * dgain_c = sum over vectors of dy_c n_c.
 */
export function rmsNormBackwardReference(
  x: Tensor,
  gain: Tensor,
  epsilon: number,
  dy: Tensor,
): { dx: Tensor; dgain: Tensor } {
  const rstd = rstdReference(x, epsilon);
  const width = x.size(1);
  const dx = new Tensor(x.shape);
  const dgain = new Tensor([width]);
  for (let v = 0; v < x.size(0); v++) {
    const mean = sum(width, (c) => gain.at(c) * dy.at(v, c) * x.at(v, c)) / width;
    for (let c = 0; c < width; c++) {
      dx.set(rstd.at(v) * gain.at(c) * dy.at(v, c) - rstd.at(v) ** 3 * x.at(v, c) * mean, v, c);
      dgain.add(dy.at(v, c) * x.at(v, c) * rstd.at(v), c);
    }
  }
  return { dx, dgain };
}
