/** f64 maths of the global gradient norm. */
import { sum, type Tensor } from "./tensor";

/** Square root of the sum of squares. */
export function normReference(gradient: Tensor): number {
  return Math.sqrt(sum(gradient.size(0), (i) => gradient.at(i) ** 2));
}
