/**
 * Where a model's parameters live on the GPU. Tensors that are used together are one matrix here (query, key and value; gate and up); all matrices and vectors
 * lie in a few segments, so that the optimizer takes one dispatch per segment. A matrix that is too large for one binding is cut into shards by rows.
 */
import { type BufferView, subview } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import { type ModelConfig, parameterShapes } from "./config";
import type { CheckpointTensor } from "./folder";
import type { TensorToWrite } from "./safetensors/write";

/** Consecutive rows of a matrix in one segment. `offset` in bytes. */
export interface Shard {
  readonly rowBegin: number;
  readonly rows: number;
  readonly segment: number;
  readonly offset: number;
}

/** A matrix [rows, columns], or a vector as a matrix of one row. */
export interface Parameter {
  readonly rows: number;
  readonly columns: number;
  readonly shards: readonly Shard[];
}

/** Where a tensor of the Hugging Face checkpoint stands inside a parameter. */
interface Placement {
  readonly hfName: string;
  readonly shape: readonly number[];
  readonly parameter: Parameter;
  readonly rowBegin: number;
  readonly columnBegin: number;
}

export interface LayerParameters {
  readonly attentionNorm: Parameter;
  /** [(heads + 2 kvHeads) * headDim, hidden] */
  readonly qkv: Parameter;
  readonly qkvBias?: Parameter;
  readonly queryNorm?: Parameter;
  readonly keyNorm?: Parameter;
  readonly attentionOut: Parameter;
  readonly mlpNorm: Parameter;
  /** [2 * intermediate, hidden] */
  readonly gateUp: Parameter;
  readonly down: Parameter;
}

interface Segment {
  /** Elements in use, a multiple of 64. */
  length: number;
  /** Elements of matrices, which come first and decay. */
  decayEnd: number;
}

/** The plan of all parameters: a pure function of the config and the largest binding. */
export class ParameterLayout {
  readonly embedding: Parameter;
  /** The embedding itself when the model is tied. */
  readonly head: Parameter;
  readonly layers: readonly LayerParameters[];
  readonly finalNorm: Parameter;
  readonly segments: readonly Readonly<Segment>[];
  private readonly placements = new Map<string, Placement>();

  constructor(
    readonly config: ModelConfig,
    maxBindingBytes: number,
  ) {
    const planner = new SegmentPlanner(maxBindingBytes);
    const hidden = config.hiddenSize;
    const queries = config.headCount * config.headDim;
    const keys = config.kvHeadCount * config.headDim;
    const inner = config.intermediateSize;
    // Matrices first, so that weight decay is one range at the start of each segment.
    this.embedding = planner.matrix(config.vocabularySize, hidden);
    const matrices = Array.from({ length: config.layerCount }, () => ({
      qkv: planner.matrix(queries + 2 * keys, hidden),
      attentionOut: planner.matrix(hidden, queries),
      gateUp: planner.matrix(2 * inner, hidden),
      down: planner.matrix(hidden, inner),
    }));
    this.head = config.tiedEmbeddings ? this.embedding : planner.matrix(config.vocabularySize, hidden);
    planner.endMatrices();
    this.layers = matrices.map((layer) => ({
      ...layer,
      attentionNorm: planner.vector(hidden),
      mlpNorm: planner.vector(hidden),
      ...(config.attentionBias ? { qkvBias: planner.vector(queries + 2 * keys) } : {}),
      ...(config.qkNorm ? { queryNorm: planner.vector(config.headDim), keyNorm: planner.vector(config.headDim) } : {}),
    }));
    this.finalNorm = planner.vector(hidden);
    this.segments = planner.segments;
    this.place(queries, keys, inner);
  }

  /** Tensors of the Hugging Face checkpoint in the order of `parameterShapes`. */
  get tensors(): Iterable<Placement> {
    return this.placements.values();
  }

  find(hfName: string): Placement {
    const placement = this.placements.get(hfName);
    if (placement === undefined) throw new Error(`${hfName} is no tensor of this model`);
    return placement;
  }

  private place(queries: number, keys: number, inner: number): void {
    const rowStarts: Record<string, number> = {
      "k_proj.weight": queries,
      "v_proj.weight": queries + keys,
      "up_proj.weight": inner,
    };
    const columnStarts: Record<string, number> = { "k_proj.bias": queries, "v_proj.bias": queries + keys };
    for (const { hfName, shape } of parameterShapes(this.config)) {
      const last = hfName.split(".").slice(-2).join(".");
      this.placements.set(hfName, {
        hfName,
        shape,
        parameter: this.parameterOf(hfName, last),
        rowBegin: rowStarts[last] ?? 0,
        columnBegin: columnStarts[last] ?? 0,
      });
    }
  }

  private parameterOf(hfName: string, last: string): Parameter {
    if (hfName === "model.embed_tokens.weight") return this.embedding;
    if (hfName === "lm_head.weight") return this.head;
    if (hfName === "model.norm.weight") return this.finalNorm;
    const layer = this.layers[Number(/layers\.(\d+)\./.exec(hfName)?.[1])];
    const byName: Record<string, Parameter | undefined> = {
      "input_layernorm.weight": layer?.attentionNorm,
      "post_attention_layernorm.weight": layer?.mlpNorm,
      "q_proj.weight": layer?.qkv,
      "k_proj.weight": layer?.qkv,
      "v_proj.weight": layer?.qkv,
      "q_proj.bias": layer?.qkvBias,
      "k_proj.bias": layer?.qkvBias,
      "v_proj.bias": layer?.qkvBias,
      "q_norm.weight": layer?.queryNorm,
      "k_norm.weight": layer?.keyNorm,
      "o_proj.weight": layer?.attentionOut,
      "gate_proj.weight": layer?.gateUp,
      "up_proj.weight": layer?.gateUp,
      "down_proj.weight": layer?.down,
    };
    const parameter = byName[last];
    if (parameter === undefined) throw new Error(`${hfName} has no place on the GPU`);
    return parameter;
  }
}

/** Fills segments in order, cutting a matrix into shards only where one binding cannot hold it. */
class SegmentPlanner {
  readonly segments: Segment[] = [];
  private readonly capacity: number;
  private vectorSegment = 0;

  constructor(maxBindingBytes: number) {
    this.capacity = Math.floor(maxBindingBytes / 256) * 64;
  }

  matrix(rows: number, columns: number): Parameter {
    const shardRows = Math.min(rows, Math.floor(this.capacity / columns / 4) * 4); // linear writes columns of y in fours
    const shards: Shard[] = [];
    for (let rowBegin = 0; rowBegin < rows; rowBegin += shardRows) {
      const count = Math.min(shardRows, rows - rowBegin);
      shards.push({ rowBegin, rows: count, ...this.allocate(count * columns, this.segments.length - 1) });
    }
    return { rows, columns, shards };
  }

  endMatrices(): void {
    for (const segment of this.segments) segment.decayEnd = segment.length;
    this.vectorSegment = this.segments.length - 1;
  }

  vector(length: number): Parameter {
    const place = this.allocate(length, this.vectorSegment);
    this.vectorSegment = place.segment;
    return { rows: 1, columns: length, shards: [{ rowBegin: 0, rows: 1, ...place }] };
  }

  private allocate(elements: number, wanted: number): { segment: number; offset: number } {
    const length = Math.ceil(elements / 64) * 64;
    let segment = this.segments[wanted];
    let index = wanted;
    if (segment === undefined || segment.length + length > this.capacity) {
      segment = { length: 0, decayEnd: 0 };
      index = this.segments.push(segment) - 1;
    }
    const offset = segment.length * 4;
    segment.length += length;
    return { segment: index, offset };
  }
}

/** One copy of all parameters' values: weights, gradients, or an optimizer's moments. */
export class ParameterValues {
  readonly segments: readonly BufferView[];
  private readonly views = new Map<Shard, BufferView>();

  constructor(
    private readonly gpu: GpuContext,
    readonly layout: ParameterLayout,
    readonly label: string,
  ) {
    this.segments = layout.segments.map((segment, index) =>
      gpu.allocator.storage(`${label}, segment ${index}`, segment.length * 4),
    );
  }

  /** The binding of one shard of a parameter. */
  view(parameter: Parameter, shard: Shard): BufferView {
    let view = this.views.get(shard);
    if (view === undefined) {
      view = subview(this.segment(shard.segment), shard.offset, shard.rows * parameter.columns * 4);
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

  /** Uploads one tensor of a checkpoint. */
  upload(tensor: CheckpointTensor): void {
    for (const part of this.parts(tensor.hfName))
      this.gpu.write(this.segment(part.segment), tensor.data.subarray(part.begin, part.end), part.offset);
  }

  /** Reads one tensor back, by its Hugging Face name. */
  async download(hfName: string): Promise<Float32Array> {
    const { shape } = this.layout.find(hfName);
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (const part of this.parts(hfName))
      data.set(
        await this.gpu.readback.readFloats(this.segment(part.segment), part.end - part.begin, part.offset),
        part.begin,
      );
    return data;
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

  /** Contiguous runs of a tensor: elements begin .. end of its data at byte `offset` of a segment. */
  private *parts(hfName: string): Generator<{ segment: number; offset: number; begin: number; end: number }> {
    const { parameter, shape, rowBegin, columnBegin } = this.layout.find(hfName);
    if (shape.length === 1) {
      const [shard] = parameter.shards;
      if (shard !== undefined)
        yield { segment: shard.segment, offset: shard.offset + columnBegin * 4, begin: 0, end: shape[0] ?? 0 };
      return;
    }
    const rowEnd = rowBegin + (shape[0] ?? 0);
    for (const shard of parameter.shards) {
      const first = Math.max(rowBegin, shard.rowBegin);
      const last = Math.min(rowEnd, shard.rowBegin + shard.rows);
      if (first >= last) continue;
      yield {
        segment: shard.segment,
        offset: shard.offset + (first - shard.rowBegin) * parameter.columns * 4,
        begin: (first - rowBegin) * parameter.columns,
        end: (last - rowBegin) * parameter.columns,
      };
    }
  }
}
