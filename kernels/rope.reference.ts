/**
 * f64 maths of the rotary position embedding (Su et al. 2021) in the halves layout: elements i and i + D/2 of a head
 * turn by the angle of (position, i).
 */
import { Tensor } from "./tensor";

/** (cos, sin) of position * base^(-2 i / headDim), [positions, headDim / 2, 2]. */
export function rotationsReference(positions: number, headDim: number, base: number): Tensor {
  const rotations = new Tensor([positions, headDim / 2, 2]);
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < headDim / 2; i++) {
      const angle = position * base ** ((-2 * i) / headDim);
      rotations.set(Math.cos(angle), position, i, 0);
      rotations.set(Math.sin(angle), position, i, 1);
    }
  return rotations;
}

/** Turns x [rows, heads, headDim] forward (direction 1) or back (-1) by the angles of the rows' positions. */
export function rotateReference(x: Tensor, positions: readonly number[], rotations: Tensor, direction: 1 | -1): Tensor {
  const y = new Tensor(x.shape);
  const half = x.size(2) / 2;
  positions.forEach((position, row) => {
    for (let head = 0; head < x.size(1); head++)
      for (let i = 0; i < half; i++) {
        const cos = rotations.at(position, i, 0);
        const sin = rotations.at(position, i, 1) * direction;
        const low = x.at(row, head, i);
        const high = x.at(row, head, i + half);
        y.set(low * cos - high * sin, row, head, i);
        y.set(low * sin + high * cos, row, head, i + half);
      }
  });
  return y;
}
