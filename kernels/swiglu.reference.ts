/** f64 maths of SwiGLU: y = silu(gate) up, silu(g) = g sigmoid(g). */
import { Tensor } from "./tensor";

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

/** gateUp [rows, 2, width] -> y [rows, width]. */
export function swigluReference(gateUp: Tensor): Tensor {
  const y = new Tensor([gateUp.size(0), gateUp.size(2)]);
  for (let row = 0; row < y.size(0); row++)
    for (let c = 0; c < y.size(1); c++) {
      const gate = gateUp.at(row, 0, c);
      y.set(gate * sigmoid(gate) * gateUp.at(row, 1, c), row, c);
    }
  return y;
}

/** silu'(g) = sigmoid(g) + g sigmoid(g) (1 - sigmoid(g)). */
export function swigluBackwardReference(gateUp: Tensor, dy: Tensor): Tensor {
  const gradient = new Tensor(gateUp.shape);
  for (let row = 0; row < dy.size(0); row++)
    for (let c = 0; c < dy.size(1); c++) {
      const gate = gateUp.at(row, 0, c);
      const s = sigmoid(gate);
      gradient.set(dy.at(row, c) * gateUp.at(row, 1, c) * (s + gate * s * (1 - s)), row, 0, c);
      gradient.set(dy.at(row, c) * gate * s, row, 1, c);
    }
  return gradient;
}
