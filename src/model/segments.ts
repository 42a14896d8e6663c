/**
 * Segments: tensors laid out in a few long GPU buffers, so that the optimizer takes one dispatch per buffer. A matrix
 * that is too large for one binding is cut into shards by rows.
 */
import { STORAGE_ALIGNMENT, storageBytes, type WeightStorage } from "../../kernels/weight_storage";
import { at } from "../base/must";

/** Consecutive rows of a matrix in one segment, from element `begin` on. */
export interface Shard {
  readonly rowBegin: number;
  readonly rows: number;
  readonly segment: number;
  readonly begin: number;
}

/** A matrix [rows, columns], or a vector as a matrix of one row. */
export interface Parameter {
  readonly rows: number;
  readonly columns: number;
  readonly shards: readonly Shard[];
}

/** Where a tensor of a checkpoint stands inside a parameter. */
export interface Placement {
  readonly hfName: string;
  readonly shape: readonly number[];
  readonly parameter: Parameter;
  readonly rowBegin: number;
  readonly columnBegin: number;
}

/** One buffer. */
export interface Segment {
  /** Elements in use, a multiple of 64. */
  readonly length: number;
  /** Elements of matrices, which come first and decay. */
  readonly decayEnd: number;
  /** How the model's weights lie in it; gradients and moments are always f32. */
  readonly storage: WeightStorage;
}

/** Tensors by name, and the segments they fill. */
export interface TensorLayout {
  readonly segments: readonly Segment[];
  /** In the order of the checkpoint. */
  readonly tensors: Iterable<Placement>;
  /** @throws Error when there is none of that name: a mistake of ours */
  find(hfName: string): Placement;
}

/** How matrices are stored, and whether their gradients, which are f32, must fit a binding too. */
export interface StoragePlan {
  readonly maxBindingBytes: number;
  readonly storage: WeightStorage;
  readonly trained: boolean;
}

/** Fills segments in order, matrices first, cutting a matrix into shards only where one binding cannot hold it. */
export class SegmentPlanner {
  readonly segments: { length: number; decayEnd: number; storage: WeightStorage }[] = [];
  readonly #capacity: number;
  #vectorSegment = 0;
  readonly #plan: StoragePlan;

  constructor(plan: StoragePlan) {
    this.#plan = plan;
    const alignment = STORAGE_ALIGNMENT[plan.storage];
    const bytes = storageBytes(plan.trained ? "f32" : plan.storage, alignment);
    this.#capacity = Math.floor(plan.maxBindingBytes / bytes) * alignment;
  }

  matrix(rows: number, columns: number): Parameter {
    // Linear writes columns of y in fours; from 64 rows on, a bias too can be bound where a shard begins.
    const fitting = Math.floor(this.#capacity / columns / 4) * 4;
    const shardRows = Math.min(rows, fitting < 64 ? fitting : fitting - (fitting % 64));
    const shards: Shard[] = [];
    for (let rowBegin = 0; rowBegin < rows; rowBegin += shardRows) {
      const count = Math.min(shardRows, rows - rowBegin);
      const place = this.#allocate(count * columns, this.segments.length - 1, this.#plan.storage);
      shards.push({ rowBegin, rows: count, ...place });
    }
    return { rows, columns, shards };
  }

  endMatrices(): void {
    for (const segment of this.segments) segment.decayEnd = segment.length;
    // Vectors are f32, whatever matrices are: they go behind the matrices where those are f32 too.
    this.#vectorSegment = this.#plan.storage === "f32" ? this.segments.length - 1 : this.segments.length;
  }

  vector(length: number): Parameter {
    const place = this.#allocate(length, this.#vectorSegment, "f32");
    this.#vectorSegment = place.segment;
    return { rows: 1, columns: length, shards: [{ rowBegin: 0, rows: 1, ...place }] };
  }

  #allocate(elements: number, wanted: number, storage: WeightStorage): { segment: number; begin: number } {
    const alignment = STORAGE_ALIGNMENT[storage];
    const length = Math.ceil(elements / alignment) * alignment;
    let segment = this.segments[wanted];
    let index = wanted;
    if (segment === undefined || segment.length + length > this.#capacity) {
      segment = { length: 0, decayEnd: 0, storage };
      index = this.segments.push(segment) - 1;
    }
    const begin = segment.length;
    segment.length += length;
    return { segment: index, begin };
  }
}

/** Rows of a tensor, and how long each is in a checkpoint and in memory: only an adapter's are filled up. */
export function tensorWidth(layout: TensorLayout, hfName: string): { rows: number; given: number; held: number } {
  const { shape, parameter } = layout.find(hfName);
  const rows = at(shape, 0);
  const columns = shape[1];
  return columns === undefined
    ? { rows: 1, given: rows, held: rows }
    : { rows, given: columns, held: parameter.columns };
}

/** Contiguous runs of a tensor: elements begin .. end of its rows, from element `start` of a segment on. */
export function* tensorParts(
  layout: TensorLayout,
  hfName: string,
): Generator<{ segment: number; start: number; begin: number; end: number }> {
  const { parameter, shape, rowBegin, columnBegin } = layout.find(hfName);
  if (shape.length === 1) {
    const { segment, begin } = at(parameter.shards, 0);
    yield { segment, start: begin + columnBegin, begin: 0, end: at(shape, 0) };
    return;
  }
  const rowEnd = rowBegin + at(shape, 0);
  for (const shard of parameter.shards) {
    const first = Math.max(rowBegin, shard.rowBegin);
    const last = Math.min(rowEnd, shard.rowBegin + shard.rows);
    if (first >= last) continue;
    yield {
      segment: shard.segment,
      start: shard.begin + (first - shard.rowBegin) * parameter.columns,
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
