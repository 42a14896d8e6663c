/**
 * Inverse of a small symmetric positive matrix by Gauss-Jordan with its diagonal scaled to 1 first; undefined where it is
 * singular to working precision, so that some mixture of the parameters changes nothing.
 */
export function inverse(matrix: readonly (readonly number[])[], smallestPivot = 1e-10): number[][] | undefined {
  const n = matrix.length;
  const scale = matrix.map((row, i) => Math.sqrt(row[i] ?? 0));
  if (scale.some((value) => !(value > 0) || !Number.isFinite(value))) return undefined;
  const at = (row: readonly number[] | undefined, j: number) => row?.[j] ?? 0;
  const work = matrix.map((row, i) => [
    ...row.map((value, j) => value / (at(scale, i) * at(scale, j))),
    ...scale.map((_, j) => Number(i === j)),
  ]);
  for (let k = 0; k < n; k++) {
    const pivot = at(work[k], k);
    if (!(pivot > smallestPivot)) return undefined;
    work[k] = (work[k] ?? []).map((value) => value / pivot);
    for (let i = 0; i < n; i++) {
      const factor = at(work[i], k);
      if (i !== k) work[i] = (work[i] ?? []).map((value, j) => value - factor * at(work[k], j));
    }
  }
  return work.map((row, i) => row.slice(n).map((value, j) => value / (at(scale, i) * at(scale, j))));
}
