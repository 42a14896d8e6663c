/** Row gather, y[i] = x[rowIndex[i]], and its transpose. */
import { Tensor } from "./tensor";

/** x [rows, width] -> y [count, width]. */
export function gatherReference(x: Tensor, rowIndex: Uint32Array): Tensor {
  const y = new Tensor([rowIndex.length, x.size(1)]);
  rowIndex.forEach((row, i) => {
    for (let c = 0; c < x.size(1); c++) y.set(x.at(row, c), i, c);
  });
  return y;
}

/** y [count, width] -> x [rows, width] with NaN ("left as it was") in rows that are not named. */
export function scatterReference(y: Tensor, rowIndex: Uint32Array, rows: number): Tensor {
  const x = Tensor.untouched([rows, y.size(1)]);
  rowIndex.forEach((row, i) => {
    for (let c = 0; c < y.size(1); c++) x.set(y.at(i, c), row, c);
  });
  return x;
}
