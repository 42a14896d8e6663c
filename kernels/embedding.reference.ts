/** f64 maths of the token embedding: x[row] = table[token of row]. */
import { Tensor } from "./tensor";

/** table [vocabulary, width] -> x [rows, width]. */
export function embeddingReference(table: Tensor, tokens: readonly number[]): Tensor {
  const x = new Tensor([tokens.length, table.size(1)]);
  tokens.forEach((token, row) => {
    for (let c = 0; c < table.size(1); c++) x.set(table.at(token, c), row, c);
  });
  return x;
}

/** dtable[t] = the sum of dx over the rows whose token is t. */
export function embeddingGradientReference(dx: Tensor, tokens: readonly number[], vocabulary: number): Tensor {
  const dtable = new Tensor([vocabulary, dx.size(1)]);
  tokens.forEach((token, row) => {
    for (let c = 0; c < dx.size(1); c++) dtable.add(dx.at(row, c), token, c);
  });
  return dtable;
}
