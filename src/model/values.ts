/** Parameter values on the GPU, for every tensor of a layout: weights, gradients, or an optimizer's moments. */
import { decodeWeights, encodeWeights, storageBytes, type WeightStorage } from "../../kernels/weight_storage";
import { at } from "../base/must";
import { type BufferView, subview } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { CheckpointTensor } from "./folder";
import type { TensorToWrite } from "./safetensors/write";
import {
  type Parameter,
  type Placement,
  type Segment,
  type Shard,
  type TensorLayout,
  tensorParts,
  tensorWidth,
  withRowsOf,
} from "./segments";

/** `as the layout says` is for the weights that the model computes with; everything else is f32. */
export type ValueStorage = "as the layout says" | "f32";

export class ParameterValues {
  readonly segments: readonly BufferView[];
  readonly #views = new Map<Shard, BufferView>();
  readonly #gpu: GpuContext;
  readonly #valueStorage: ValueStorage;

  constructor(
    gpu: GpuContext,
    readonly layout: TensorLayout,
    readonly label: string,
    valueStorage: ValueStorage = "f32",
  ) {
    this.#gpu = gpu;
    this.#valueStorage = valueStorage;
    this.segments = layout.segments.map((segment, index) =>
      gpu.allocator.storage(`${label}, segment ${index}`, storageBytes(this.#storageIn(segment), segment.length)),
    );
  }

  /** How a parameter's numbers lie in memory. */
  storageOf(parameter: Parameter): WeightStorage {
    return this.#storageAt(at(parameter.shards, 0).segment);
  }

  /** The binding of one shard of a parameter. */
  view(parameter: Parameter, shard: Shard): BufferView {
    let view = this.#views.get(shard);
    if (view === undefined) {
      const storage = this.#storageAt(shard.segment);
      const bytes = storageBytes(storage, shard.rows * parameter.columns);
      // A vector's binding ends with its last element.
      const exact = storage === "f32" ? shard.rows * parameter.columns * 4 : bytes;
      view = subview(at(this.segments, shard.segment), storageBytes(storage, shard.begin), exact);
      this.#views.set(shard, view);
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
    const width = tensorWidth(this.layout, tensor.hfName);
    const data = withRowsOf(tensor.data, width.given, width.held);
    for (const { segment, start, begin, end } of tensorParts(this.layout, tensor.hfName)) {
      const storage = this.#storageAt(segment);
      const words = encodeWeights(storage, data.subarray(begin, end));
      // The rest of a started block of halves belongs to the next tensor.
      const own = storage === "f16" || storage === "bf16" ? words.subarray(0, Math.ceil((end - begin) / 2)) : words;
      this.#gpu.write(at(this.segments, segment), own, bytesBefore(storage, start));
    }
  }

  /** Uploads all tensors, read one at a time. */
  async load(read: (tensor: Placement) => Promise<Float32Array>): Promise<void> {
    for (const tensor of this.layout.tensors)
      this.upload({ hfName: tensor.hfName, shape: tensor.shape, data: await read(tensor) });
  }

  /** Reads one tensor back, by its name in the checkpoint. */
  async download(hfName: string): Promise<Float32Array> {
    const width = tensorWidth(this.layout, hfName);
    const data = new Float32Array(width.rows * width.held);
    for (const { segment, start, begin, end } of tensorParts(this.layout, hfName)) {
      const storage = this.#storageAt(segment);
      const count = end - begin;
      const words = storage === "f32" ? count : storageBytes(storage, count) / 4;
      const read = await this.#gpu.readback.readUints(at(this.segments, segment), words, bytesBefore(storage, start));
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
    for (const segment of this.segments) this.#gpu.recorder.clear(segment);
  }

  destroy(): void {
    for (const segment of this.segments) this.#gpu.allocator.destroy(segment);
  }

  #storageAt(index: number): WeightStorage {
    return this.#storageIn(at(this.layout.segments, index));
  }

  #storageIn(segment: Segment): WeightStorage {
    return this.#valueStorage === "f32" ? "f32" : segment.storage;
  }
}

/** Bytes before element `at` of a buffer. */
function bytesBefore(storage: WeightStorage, at: number): number {
  if (storage === "f32") return at * 4;
  if (storage === "f16" || storage === "bf16") return at * 2;
  return storageBytes(storage, at);
}
