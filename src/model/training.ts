/**
 * The gradient of a weighted sum of token log-probs: forward over a micro-batch of whole sequences, one scalar coefficient per scored token from the caller,
 * backward, accumulated into the parameters' gradients. Every policy-gradient and likelihood objective is a choice of coefficients.
 */

import { columnSum } from "../../kernels/column_sum";
import { embeddingGradient, groupRowsByToken } from "../../kernels/embedding";
import { scatterRows } from "../../kernels/gather";
import { rmsNormBackward, wholeRows } from "../../kernels/rms_norm";
import { isGreedy, logitsGradient } from "../../kernels/sampling";
import type { BufferView } from "../gpu/buffers";
import { Activations } from "./activations";
import { GradientWorkspace } from "./gradients";
import { from, HeadWorkspace, KEEP_ALL, STATISTICS_BYTES } from "./head";
import { layerBackward, layerForward } from "./layer";
import type { Model } from "./model";
import { type GradientTargets, projectBackward } from "./projection";
import { type TrainingSequence, uploadSequences } from "./sequence-upload";
import { SequenceTables } from "./sequences";
import { ParameterValues } from "./values";

export type { TrainingSequence } from "./sequence-upload";

/** Statistics of the scored tokens, sequence after sequence, positions ascending. */
export interface TokenStatistics {
  readonly logprobs: Float32Array;
  readonly entropies: Float32Array;
  /** 1 where the token is the most probable one at its place, else 0. */
  readonly greedy: Uint8Array;
}

/** Sizes of the training buffers. */
export interface TrainingShape {
  /** Most rows (tokens without each sequence's last) of a micro-batch. */
  readonly rows: number;
  /** Most sequences of a micro-batch. */
  readonly sequences: number;
  /** Most tokens of a sequence. */
  readonly sequenceLength: number;
  readonly pageSize: number;
  /** Compute each layer's activations again in the backward pass instead of keeping them. */
  readonly recompute: boolean;
  /** Most bytes for logits at one time. */
  readonly logitsBytes: number;
}

/** The state between a micro-batch's forward and its backward. */
interface Pending {
  readonly rowCount: number;
  readonly scoredCount: number;
  readonly embeddingGroups: { readonly tokens: Uint32Array; readonly starts: Uint32Array; readonly rows: Uint32Array };
  readonly temperature: number;
  /** The chunk whose logits are still in the head's buffer. */
  readonly lastChunk: number;
}

/** See the file's header. `gradients` holds the accumulated gradient until `clearGradients`. */
export class TrainingPass {
  readonly gradients: ParameterValues;
  private readonly targets: GradientTargets;
  readonly tables: SequenceTables;
  readonly head: HeadWorkspace;
  /** [rows, 4], see {@link Model.forward}. */
  readonly rows: BufferView;
  private readonly activations: Activations;
  private readonly workspace: GradientWorkspace;
  private readonly dnormed: BufferView;
  private readonly dhidden: BufferView;
  private readonly coefficients: BufferView;
  private readonly entropyCoefficients: BufferView;
  private readonly groupTokens: BufferView;
  private readonly groupStarts: BufferView;
  private readonly groupedRows: BufferView;
  private pending: Pending | undefined;

  constructor(
    private readonly model: Model,
    readonly shape: TrainingShape,
  ) {
    const { gpu, config } = model;
    const pages = shape.sequences + Math.ceil((shape.rows + shape.sequences) / shape.pageSize);
    this.gradients = new ParameterValues(gpu, model.trained.layout, "gradients");
    this.targets =
      model.adapter === undefined
        ? { model: this.gradients, adapter: undefined }
        : { model: undefined, adapter: this.gradients };
    this.tables = new SequenceTables(
      gpu,
      config,
      { slots: shape.sequences, slotLength: shape.sequenceLength, pageSize: shape.pageSize, pages },
      "training",
    );
    this.activations = new Activations(
      gpu,
      config,
      shape.rows,
      shape.recompute ? "inputs" : "everything",
      model.adapterRank,
    );
    this.workspace = new GradientWorkspace(gpu, config, shape.rows, model.adapterRank);
    this.head = new HeadWorkspace(model, shape.rows, shape.logitsBytes, "training head");
    const allocate = (name: string, elements: number) => gpu.allocator.storage(`training (${name})`, elements * 4);
    this.dnormed = allocate("gradient of normed", this.head.chunkRows * config.hiddenSize);
    this.dhidden = allocate("gradient of hidden", this.head.chunkRows * config.hiddenSize);
    this.coefficients = allocate("coefficients", shape.rows);
    this.entropyCoefficients = allocate("entropy coefficients", shape.rows);
    this.rows = allocate("rows", shape.rows * 4);
    this.groupTokens = allocate("token groups", shape.rows);
    this.groupStarts = allocate("starts of token groups", shape.rows + 1);
    this.groupedRows = allocate("rows by token", shape.rows);
    gpu.write(this.head.thresholds, new Float32Array(shape.rows).fill(KEEP_ALL));
  }

  /**
   * Whether a micro-batch of these sequences fits the buffers.
   */
  fits(sequences: number, rows: number): boolean {
    return sequences <= this.shape.sequences && rows <= this.shape.rows;
  }

  clearGradients(): void {
    this.gradients.clear();
  }

  /**
   * Log-probs and entropies of the scored tokens at `temperature`. What `backward` needs is kept on the GPU until the next call.
   * @throws RangeError when the sequences do not fit; see {@link fits}
   */
  async forward(sequences: readonly TrainingSequence[], temperature: number): Promise<TokenStatistics> {
    const { gpu } = this.model;
    const { rowCount, scoredCount, rowTokens } = uploadSequences(this.model.gpu, this, sequences);
    this.model.forward(this.tables, this.activations, this.rows, rowCount);
    let lastChunk = 0;
    for (const chunk of this.head.chunks(scoredCount)) {
      this.head.logitsOf(this.output, chunk.begin, chunk.count);
      this.head.score(this.tables.slotTokens, this.shape.sequenceLength, chunk.begin, chunk.count, temperature);
      lastChunk = chunk.begin;
    }
    this.pending = {
      rowCount,
      scoredCount,
      embeddingGroups: groupRowsByToken(rowTokens),
      temperature,
      lastChunk,
    };
    const statistics = await gpu.readback.readFloats(this.head.statistics, (scoredCount * STATISTICS_BYTES) / 4);
    const logprobs = new Float32Array(scoredCount);
    const entropies = new Float32Array(scoredCount);
    const greedy = new Uint8Array(scoredCount);
    for (let i = 0; i < scoredCount; i++) {
      logprobs[i] = statistics[i * 4] ?? Number.NaN;
      entropies[i] = statistics[i * 4 + 2] ?? Number.NaN;
      greedy[i] = isGreedy(statistics[i * 4 + 3] ?? Number.NaN) ? 1 : 0;
    }
    return { logprobs, entropies, greedy };
  }

  /**
   * Adds to the gradients the gradient of sum_t coefficients[t] * log-prob[t] + entropyCoefficients[t] * entropy[t] of the last `forward`, both in its order; the
   * second sum only where its coefficients are given. Records and submits; nothing is read back.
   */
  backward(coefficients: Float32Array, entropyCoefficients?: Float32Array): void {
    const { gpu, config } = this.model;
    const pending = this.pending;
    if (pending === undefined) throw new Error("backward needs a forward before it");
    if (coefficients.length !== pending.scoredCount)
      throw new RangeError(`${pending.scoredCount} tokens were scored, ${coefficients.length} coefficients given`);
    if (entropyCoefficients !== undefined && entropyCoefficients.length !== coefficients.length)
      throw new RangeError(`${coefficients.length} coefficients, but ${entropyCoefficients.length} of entropies`);
    this.pending = undefined;
    gpu.write(this.coefficients, coefficients);
    if (entropyCoefficients !== undefined) gpu.write(this.entropyCoefficients, entropyCoefficients);
    const { tokens, starts, rows } = pending.embeddingGroups;
    gpu.write(this.groupTokens, tokens);
    gpu.write(this.groupedRows, rows);
    gpu.write(this.groupStarts, starts);

    const last = config.layerCount;
    gpu.recorder.clear(this.workspace.boundary(last), pending.rowCount * config.hiddenSize * 4);
    this.headBackward(pending, this.workspace.boundary(last), entropyCoefficients !== undefined);
    for (let layer = last - 1; layer >= 0; layer--) {
      if (this.shape.recompute)
        layerForward(this.model, layer, this.tables, this.activations, this.rows, pending.rowCount);
      layerBackward(
        this.model,
        this.targets,
        layer,
        this.tables,
        this.activations,
        this.rows,
        pending.rowCount,
        this.workspace.layer(layer),
      );
    }
    this.embeddingBackward(pending);
    gpu.recorder.submit();
  }

  destroy(): void {
    for (const part of [this.gradients, this.tables, this.activations, this.workspace, this.head]) part.destroy();
    for (const view of [
      this.dnormed,
      this.dhidden,
      this.coefficients,
      this.entropyCoefficients,
      this.rows,
      this.groupTokens,
      this.groupStarts,
      this.groupedRows,
    ])
      this.model.gpu.allocator.destroy(view);
  }

  private get output(): BufferView {
    const output = this.activations.inputs[this.model.config.layerCount];
    if (output === undefined) throw new Error("the model has no output");
    return output;
  }

  private headBackward(pending: Pending, doutput: BufferView, withEntropy: boolean): void {
    const { gpu, config, weights, layout } = this.model;
    const head = this.head;
    let current = pending.lastChunk;
    // The last chunk's logits are still there, so it goes first; the others are computed again.
    for (const chunk of [...head.chunks(pending.scoredCount)].reverse()) {
      if (chunk.begin !== current) head.logitsOf(this.output, chunk.begin, chunk.count);
      current = -1;
      logitsGradient(
        gpu,
        {
          statistics: from(head.statistics, chunk.begin * STATISTICS_BYTES),
          coefficients: from(this.coefficients, chunk.begin * 4),
          ...(withEntropy && { entropyCoefficients: from(this.entropyCoefficients, chunk.begin * 4) }),
          logits: head.logits,
        },
        head.shape(chunk.count, this.shape.sequenceLength),
        pending.temperature,
      );
      projectBackward(
        this.model,
        this.targets,
        layout.head,
        { x: head.normed, dy: head.logits, dx: this.dnormed },
        chunk.count,
        head.stride,
      );
      const whole = wholeRows(chunk.count, config.hiddenSize);
      if (this.targets.model !== undefined)
        columnSum(
          gpu,
          {
            dy: this.dnormed,
            normalised: { x: head.hidden, rstd: head.rstd },
            partials: this.workspace.partials,
            gradient: this.targets.model.vector(layout.finalNorm),
          },
          whole,
        );
      rmsNormBackward(
        gpu,
        { x: head.hidden, gain: weights.vector(layout.finalNorm), rstd: head.rstd, dy: this.dnormed, dx: this.dhidden },
        whole,
      );
      scatterRows(
        gpu,
        {
          rowIndex: from(head.rowIndex, chunk.begin * 4),
          y: this.dhidden,
          x: doutput,
        },
        { count: chunk.count, width: config.hiddenSize },
      );
    }
  }

  private embeddingBackward(pending: Pending): void {
    const { gpu, config, layout } = this.model;
    const target = this.targets.model;
    if (target === undefined) return;
    const { tokens } = pending.embeddingGroups;
    for (const shard of layout.embedding.shards) {
      // Groups are in ascending order of tokens, so a shard's groups are one run; starts are absolute, so only the run's first group moves.
      const first = lowerBound(tokens, shard.rowBegin);
      const count = lowerBound(tokens, shard.rowBegin + shard.rows) - first;
      if (count === 0) continue;
      embeddingGradient(
        gpu,
        {
          groupTokens: this.groupTokens,
          groupStarts: this.groupStarts,
          groupedRows: this.groupedRows,
          dx: this.workspace.boundary(0),
          dtable: target.view(layout.embedding, shard),
        },
        { first, tokens: count, width: config.hiddenSize, shardBegin: shard.rowBegin },
      );
    }
  }
}

function lowerBound(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
