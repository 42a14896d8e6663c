/** Logits and log-probs of whole sequences, one at a time, by the programs that sampling and training run. */
import type { BufferView } from "../gpu/buffers";
import { Activations } from "./activations";
import { HeadWorkspace, KEEP_ALL, STATISTICS_BYTES } from "./head";
import type { Model } from "./model";
import { SequenceTables } from "./sequences";

const PAGE_SIZE = 8;

/** Buffers for sequences of up to `length` tokens. Everything is scored over the model's vocabulary at temperature 1. */
export class SequenceScorer {
  readonly #tables: SequenceTables;
  readonly #activations: Activations;
  readonly #head: HeadWorkspace;
  readonly #rows: BufferView;
  readonly #model: Model;

  /** @param logitsBytes most bytes of logits on the GPU at one time */
  constructor(model: Model, length: number, logitsBytes: number) {
    this.#model = model;
    const { gpu, config } = model;
    const pages = Math.ceil(length / PAGE_SIZE);
    this.#tables = new SequenceTables(
      gpu,
      config,
      { slots: 1, slotLength: length, pageSize: PAGE_SIZE, pages },
      "scored sequence",
    );
    this.#activations = new Activations(gpu, config, length, "nothing", model.adapterRank);
    this.#head = new HeadWorkspace(model, length, logitsBytes, "scored sequence");
    this.#rows = gpu.allocator.storage("scored sequence (rows)", length * 16);
    this.#tables.setPages(
      0,
      Uint32Array.from({ length: pages }, (_, page) => page),
    );
    gpu.write(this.#head.thresholds, new Float32Array(length).fill(KEEP_ALL));
  }

  /** Logits [tokens, vocabulary] of the token after each one of `ids`. */
  async logits(ids: Uint32Array): Promise<Float32Array> {
    const { vocabularySize } = this.#model.config;
    const { stride } = this.#head;
    const logits = new Float32Array(ids.length * vocabularySize);
    this.#tables.setTokens(0, 0, ids);
    for (const { begin, count } of this.#withLogits(0, ids.length)) {
      const rows = await this.#model.gpu.readback.readFloats(this.#head.logits, count * stride);
      for (let row = 0; row < count; row++)
        logits.set(rows.subarray(row * stride, row * stride + vocabularySize), (begin + row) * vocabularySize);
    }
    return logits;
  }

  /** Log-prob [tokens] of each id after those before it; the first has none and is 0. */
  async logprobs(ids: Uint32Array): Promise<Float32Array> {
    const logprobs = new Float32Array(ids.length);
    if (ids.length > 1) logprobs.set(await this.#continuation(0, ids), 1);
    return logprobs;
  }

  /**
   * Log-probs of the tokens of each continuation after `prompt`, which is computed once. They are the bits that {@link logprobs} gives for prompt and
   * continuation together.
   * @throws RangeError without a prompt: its last token is what the first one of a continuation follows
   */
  async continuations(prompt: Uint32Array, continuations: readonly Uint32Array[]): Promise<Float32Array[]> {
    const last = prompt.length - 1;
    if (last < 0) throw new RangeError("continuations follow a prompt of at least one token");
    this.#tables.setTokens(0, 0, prompt);
    this.#forward(0, last);
    // What comes next writes the same buffers anew.
    this.#model.gpu.recorder.submit();
    const scored: Float32Array[] = [];
    for (const ids of continuations)
      scored.push(await this.#continuation(last, Uint32Array.of(prompt[last] ?? 0, ...ids)));
    return scored;
  }

  destroy(): void {
    for (const part of [this.#tables, this.#activations, this.#head]) part.destroy();
    this.#model.gpu.allocator.destroy(this.#rows);
  }

  /** Log-probs of all `ids` but the first, which stand from position `start` on; keys and values of the positions before are in their pages. */
  async #continuation(start: number, ids: Uint32Array): Promise<Float32Array> {
    const words = STATISTICS_BYTES / 4;
    const count = ids.length - 1;
    if (count === 0) return new Float32Array();
    this.#tables.setTokens(0, start, ids);
    for (const chunk of this.#withLogits(start, count))
      this.#head.score(this.#tables.slotTokens, this.#tables.shape.slotLength, chunk.begin, chunk.count, 1);
    const statistics = await this.#model.gpu.readback.readFloats(this.#head.statistics, count * words);
    return Float32Array.from({ length: count }, (_, row) => statistics[row * words] ?? Number.NaN);
  }

  /** Records the forward pass of the tokens at `start ..`, then gives the chunks of them whose logits lie in the head's buffer. */
  *#withLogits(start: number, count: number): Generator<{ begin: number; count: number }> {
    const { gpu, config } = this.#model;
    const output = this.#activations.inputs[config.layerCount];
    if (output === undefined) throw new Error("the model has no output");
    gpu.write(
      this.#head.rowIndex,
      Uint32Array.from({ length: count }, (_, row) => row),
    );
    const { chunkRows } = this.#head;
    this.#head.writeEntries(
      0,
      Uint32Array.from({ length: count * 4 }, (_, word) => {
        const row = word >> 2;
        return word % 4 === 0 ? row % chunkRows : word % 4 === 2 ? start + row + 1 : 0;
      }),
    );
    this.#forward(start, count);
    for (const chunk of this.#head.chunks(count)) {
      this.#head.logitsOf(output, chunk.begin, chunk.count);
      yield chunk;
    }
  }

  #forward(start: number, count: number): void {
    this.#model.gpu.write(
      this.#rows,
      Uint32Array.from({ length: count * 4 }, (_, word) => (word % 4 === 1 ? start + (word >> 2) : 0)),
    );
    if (count > 0) this.#model.forward(this.#tables, this.#activations, this.#rows, count);
  }
}
