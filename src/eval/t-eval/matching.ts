/** Maximum-weight matching of two small sets. Pure. */

/**
 * Hungarian algorithm over [rows][columns] of weights, none below 0; a pair of weight 0 is no edge.
 * @returns for each row its column, or -1
 */
export function maximumWeightMatching(weights: readonly (readonly number[])[]): number[] {
  const size = Math.max(weights.length, ...weights.map((row) => row.length), 0);
  const cost = (row: number, column: number) => -(weights[row - 1]?.[column - 1] ?? 0);
  const zeros = () => new Float64Array(size + 1);
  const [rowPotential, columnPotential] = [zeros(), zeros()];
  const rowOf = new Int32Array(size + 1);
  for (let row = 1; row <= size; row++) {
    const least = zeros().fill(Number.POSITIVE_INFINITY);
    const before = new Int32Array(size + 1);
    const visited = new Uint8Array(size + 1);
    rowOf[0] = row;
    let column = 0;
    do {
      visited[column] = 1;
      const from = rowOf[column] ?? 0;
      let step = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let other = 1; other <= size; other++) {
        if (visited[other] === 1) continue;
        const reduced = cost(from, other) - (rowPotential[from] ?? 0) - (columnPotential[other] ?? 0);
        if (reduced < (least[other] ?? 0)) {
          least[other] = reduced;
          before[other] = column;
        }
        if ((least[other] ?? 0) < step) {
          step = least[other] ?? 0;
          next = other;
        }
      }
      for (let other = 0; other <= size; other++)
        if (visited[other] === 1) {
          const owner = rowOf[other] ?? 0;
          rowPotential[owner] = (rowPotential[owner] ?? 0) + step;
          columnPotential[other] = (columnPotential[other] ?? 0) - step;
        } else least[other] = (least[other] ?? 0) - step;
      column = next;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      const previous = before[column] ?? 0;
      rowOf[column] = rowOf[previous] ?? 0;
      column = previous;
    }
  }
  return weights.map((row, index) => {
    const column = rowOf.indexOf(index + 1, 1) - 1;
    return (row[column] ?? 0) > 0 ? column : -1;
  });
}

/** Length of the longest increasing subsequence; an entry of -1 follows nothing, and alone counts 1. */
export function longestIncreasing(values: readonly number[]): number {
  const lengths: number[] = [];
  values.forEach((value, index) => {
    const before = lengths.filter(
      (_, j) => j < index && value >= 0 && (values[j] ?? -1) >= 0 && (values[j] ?? 0) < value,
    );
    lengths.push(1 + Math.max(0, ...before));
  });
  return Math.max(0, ...lengths);
}
