/** Where the rows of a checkpoint's tensor lie in the segments of a layout. */
import type { TensorLayout } from "./segments";

/** Rows of a tensor, and how long each is in a checkpoint and in memory: only an adapter's are filled up. */
export function tensorWidth(layout: TensorLayout, hfName: string): { rows: number; given: number; held: number } {
  const { shape, parameter } = layout.find(hfName);
  const [rows = 0, columns] = shape;
  return columns === undefined
    ? { rows: 1, given: rows, held: rows }
    : { rows, given: columns, held: parameter.columns };
}

/** Contiguous runs of a tensor: elements begin .. end of its rows, from element `at` of a segment on. */
export function* tensorParts(
  layout: TensorLayout,
  hfName: string,
): Generator<{ segment: number; at: number; begin: number; end: number }> {
  const { parameter, shape, rowBegin, columnBegin } = layout.find(hfName);
  if (shape.length === 1) {
    const [shard] = parameter.shards;
    if (shard !== undefined)
      yield { segment: shard.segment, at: shard.begin + columnBegin, begin: 0, end: shape[0] ?? 0 };
    return;
  }
  const rowEnd = rowBegin + (shape[0] ?? 0);
  for (const shard of parameter.shards) {
    const first = Math.max(rowBegin, shard.rowBegin);
    const last = Math.min(rowEnd, shard.rowBegin + shard.rows);
    if (first >= last) continue;
    yield {
      segment: shard.segment,
      at: shard.begin + (first - shard.rowBegin) * parameter.columns,
      begin: (first - rowBegin) * parameter.columns,
      end: (last - rowBegin) * parameter.columns,
    };
  }
}

/** Rows cut, or filled up with zeros. */
export function withRowsOf(data: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return data;
  const rows = data.length / from;
  const made = new Float32Array(rows * to);
  for (let row = 0; row < rows; row++) made.set(data.subarray(row * from, row * from + Math.min(from, to)), row * to);
  return made;
}
