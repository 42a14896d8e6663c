/** f64 maths of sums over rows: the gradient of a bias; that of an RMSNorm gain is in rms_norm.reference.ts. */
import { sum, Tensor } from "./tensor";

/** dy [vectors, width] -> [width]. */
export function columnSumReference(dy: Tensor): Tensor {
  const total = new Tensor([dy.size(1)]);
  for (let c = 0; c < dy.size(1); c++)
    total.set(
      sum(dy.size(0), (v) => dy.at(v, c)),
      c,
    );
  return total;
}
