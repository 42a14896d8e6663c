/** Numbers for every tensor of a layout: weights, gradients, or an optimizer's moments. */
import { decodeWeights, encodeWeights, storageBytes, type WeightStorage } from "../../kernels/weight_storage";
import { type BufferView, subview } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { CheckpointTensor } from "./folder";
import type { TensorToWrite } from "./safetensors/write";
import type { Parameter, Segment, Shard, TensorLayout } from "./segments";

/** `as the layout says` is for the weights that the model computes with; everything else is f32. */
export type ValueStorage = "as the layout says" | "f32";

export class ParameterValues {
  readonly segments: readonly BufferView[];
  private readonly views = new Map<Shard, BufferView>();

  constructor(
    private readonly gpu: GpuContext,
    readonly layout: TensorLayout,
    readonly label: string,
    private readonly valueStorage: ValueStorage = "f32",
  ) {
    this.segments = layout.segments.map((segment, index) =>
      gpu.allocator.storage(`${label}, segment ${index}`, storageBytes(this.storageIn(segment), segment.length)),
    );
  }

  /** How a parameter's numbers lie in memory. */
  storageOf(parameter: Parameter): WeightStorage {
    return this.storageAt(parameter.shards[0]?.segment ?? 0);
  }

  /** The binding of one shard of a parameter. */
  view(parameter: Parameter, shard: Shard): BufferView {
    let view = this.views.get(shard);
    if (view === undefined) {
      const storage = this.storageAt(shard.segment);
      const bytes = storageBytes(storage, shard.rows * parameter.columns);
      // A vector's binding ends with its last element.
      const exact = storage === "f32" ? shard.rows * parameter.columns * 4 : bytes;
      view = subview(this.segment(shard.segment), storageBytes(storage, shard.begin), exact);
      this.views.set(shard, view);
    }
    return view;
  }

  /** The binding of a parameter that is never cut: a vector. */
  vector(parameter: Parameter): BufferView {
    const [shard] = parameter.shards;
    if (shard === undefined || parameter.shards.length !== 1) throw new Error("a vector is one shard");
    return this.view(parameter, shard);
  }

  /** Uploads one tensor of a checkpoint, rounded to what is stored. */
  upload(tensor: CheckpointTensor): void {
    const width = this.width(tensor.hfName);
    const data = withRowsOf(tensor.data, width.given, width.held);
    for (const { segment, at, begin, end } of this.parts(tensor.hfName)) {
      const storage = this.storageAt(segment);
      const words = encodeWeights(storage, data.subarray(begin, end));
      // The rest of a started block of halves belongs to the next tensor.
      const own = storage === "f16" || storage === "bf16" ? words.subarray(0, Math.ceil((end - begin) / 2)) : words;
      this.gpu.write(this.segment(segment), own, bytesBefore(storage, at));
    }
  }

  /** Reads one tensor back, by its name in the checkpoint. */
  async download(hfName: string): Promise<Float32Array> {
    const width = this.width(hfName);
    const data = new Float32Array(width.rows * width.held);
    for (const { segment, at, begin, end } of this.parts(hfName)) {
      const storage = this.storageAt(segment);
      const count = end - begin;
      const words = storage === "f32" ? count : storageBytes(storage, count) / 4;
      const read = await this.gpu.readback.readUints(this.segment(segment), words, bytesBefore(storage, at));
      data.set(decodeWeights(storage, read, count), begin);
    }
    return withRowsOf(data, width.held, width.given);
  }

  /** All tensors, to be read back one at a time while a file is written. `rename` may prefix the names. */
  toWrite(rename: (hfName: string) => string = (name) => name): TensorToWrite[] {
    return [...this.layout.tensors].map(({ hfName, shape }) => ({
      name: rename(hfName),
      shape,
      data: () => this.download(hfName),
    }));
  }

  clear(): void {
    for (const segment of this.segments) this.gpu.recorder.clear(segment);
  }

  destroy(): void {
    for (const segment of this.segments) this.gpu.allocator.destroy(segment);
  }

  private segment(index: number): BufferView {
    const segment = this.segments[index];
    if (segment === undefined) throw new RangeError(`${this.label} has no segment ${index}`);
    return segment;
  }

  private storageAt(index: number): WeightStorage {
    const segment = this.layout.segments[index];
    if (segment === undefined) throw new RangeError(`${this.label} has no segment ${index}`);
    return this.storageIn(segment);
  }

  private storageIn(segment: Segment): WeightStorage {
    return this.valueStorage === "f32" ? "f32" : segment.storage;
  }

  /** Rows of a tensor, and how long each is in a checkpoint and in memory: only an adapter's are filled up. */
  private width(hfName: string): { rows: number; given: number; held: number } {
    const { shape, parameter } = this.layout.find(hfName);
    const [rows = 0, columns] = shape;
    return columns === undefined
      ? { rows: 1, given: rows, held: rows }
      : { rows, given: columns, held: parameter.columns };
  }

  /** Contiguous runs of a tensor: elements begin .. end of its rows, from element `at` of a segment on. */
  private *parts(hfName: string): Generator<{ segment: number; at: number; begin: number; end: number }> {
    const { parameter, shape, rowBegin, columnBegin } = this.layout.find(hfName);
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
}

/** Rows cut, or filled up with zeros. */
function withRowsOf(data: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return data;
  const rows = data.length / from;
  const made = new Float32Array(rows * to);
  for (let row = 0; row < rows; row++) made.set(data.subarray(row * from, row * from + Math.min(from, to)), row * to);
  return made;
}

/** Bytes before element `at` of a buffer. */
function bytesBefore(storage: WeightStorage, at: number): number {
  if (storage === "f32") return at * 4;
  if (storage === "f16" || storage === "bf16") return at * 2;
  return storageBytes(storage, at);
}
