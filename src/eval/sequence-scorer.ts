/** Logits and log-probs of whole sequences, one at a time, by the programs that sampling and training run. */
import type { BufferView } from "../gpu/buffers";
import { Activations } from "../model/activations";
import { HeadWorkspace, KEEP_ALL, STATISTICS_BYTES } from "../model/head";
import type { Model } from "../model/model";
import { SequenceTables } from "../model/sequences";

const PAGE_SIZE = 8;

/** Buffers for sequences of up to `length` tokens. Everything is scored over the whole row of logits at temperature 1. */
export class SequenceScorer {
  private readonly tables: SequenceTables;
  private readonly activations: Activations;
  private readonly head: HeadWorkspace;
  private readonly rows: BufferView;

  /** @param logitsBytes most bytes of logits on the GPU at one time */
  constructor(
    private readonly model: Model,
    length: number,
    logitsBytes: number,
  ) {
    const { gpu, config } = model;
    const pages = Math.ceil(length / PAGE_SIZE);
    // One slot more: token t + 1 of a row is read even for the last row, where it is not used.
    this.tables = new SequenceTables(
      gpu,
      config,
      { slots: 1, slotLength: length + 1, pageSize: PAGE_SIZE, pages: pages + 1 },
      "scored sequence",
    );
    this.activations = new Activations(gpu, config, length, "nothing", model.adapterRank);
    this.head = new HeadWorkspace(model, length, logitsBytes, "scored sequence");
    this.rows = gpu.allocator.storage("scored sequence (rows)", length * 16);
    this.tables.setPages(
      0,
      Uint32Array.from({ length: pages }, (_, page) => page),
    );
    gpu.write(this.head.thresholds, new Float32Array(length).fill(KEEP_ALL));
  }

  /** Logits [tokens, vocabulary] of the token after each one of `ids`. */
  async logits(ids: Uint32Array): Promise<Float32Array> {
    const { vocabularySize } = this.model.config;
    const { stride } = this.head;
    const logits = new Float32Array(ids.length * vocabularySize);
    for (const { begin, count } of this.forward(ids)) {
      const rows = await this.model.gpu.readback.readFloats(this.head.logits, count * stride);
      for (let row = 0; row < count; row++)
        logits.set(rows.subarray(row * stride, row * stride + vocabularySize), (begin + row) * vocabularySize);
    }
    return logits;
  }

  /** Log-prob [tokens] of each id after those before it; the first has none and is 0. */
  async logprobs(ids: Uint32Array): Promise<Float32Array> {
    const words = STATISTICS_BYTES / 4;
    const { slotLength } = this.tables.shape;
    for (const { begin, count } of this.forward(ids))
      this.head.score(this.tables.slotTokens, slotLength, begin, count, 1);
    const statistics = await this.model.gpu.readback.readFloats(this.head.statistics, ids.length * words);
    return ids.length === 0
      ? new Float32Array()
      : Float32Array.from(ids, (_, position) =>
          position === 0 ? 0 : (statistics[(position - 1) * words] ?? Number.NaN),
        );
  }

  destroy(): void {
    for (const part of [this.tables, this.activations, this.head]) part.destroy();
    this.model.gpu.allocator.destroy(this.rows);
  }

  /** Records the forward pass, then gives the chunks whose logits lie in the head's buffer. */
  private *forward(ids: Uint32Array): Generator<{ begin: number; count: number }> {
    const { gpu, config } = this.model;
    const output = this.activations.inputs[config.layerCount];
    if (output === undefined) throw new Error("the model has no output");
    this.tables.setTokens(0, 0, Uint32Array.of(...ids, 0));
    gpu.write(
      this.rows,
      Uint32Array.from({ length: ids.length * 4 }, (_, word) => (word % 4 === 1 ? word >> 2 : 0)),
    );
    gpu.write(
      this.head.rowIndex,
      Uint32Array.from(ids, (_, row) => row),
    );
    const { chunkRows } = this.head;
    this.head.writeEntries(
      0,
      Uint32Array.from({ length: ids.length * 4 }, (_, word) => {
        const row = word >> 2;
        return word % 4 === 0 ? row % chunkRows : word % 4 === 2 ? row + 1 : 0;
      }),
    );
    this.model.forward(this.tables, this.activations, this.rows, ids.length);
    for (const chunk of this.head.chunks(ids.length)) {
      this.head.logitsOf(output, chunk.begin, chunk.count);
      yield chunk;
    }
  }
}
