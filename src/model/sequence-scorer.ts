/**
 * Logits and log-probs of whole sequences, one at a time, over the model's vocabulary at temperature 1: a
 * {@link ForwardPass} for one sequence.
 */
import { fullyScored } from "./micro-batches";
import type { Model } from "./model";
import { ForwardPass } from "./policy-pass";

const PAGE_SIZE = 8;

/** Scores sequences of up to `length` tokens. */
export class SequenceScorer {
  readonly #model: Model;
  readonly #pass: ForwardPass;

  /** @param logitsBytes most bytes of logits on the GPU at one time */
  constructor(model: Model, length: number, logitsBytes: number) {
    this.#model = model;
    // Every token may have a row: one more follows the last, so that its logits can be asked for.
    const shape = { rows: length, sequences: 1, sequenceLength: length + 1, pageSize: PAGE_SIZE, logitsBytes };
    const pages = Math.ceil(length / PAGE_SIZE);
    this.#pass = new ForwardPass(model, { ...shape, pages }, "nothing", "scored sequence");
  }

  /** Logits [tokens, vocabulary] of the token after each one of `ids`. */
  async logits(ids: Uint32Array): Promise<Float32Array> {
    const { gpu, config } = this.#model;
    const { head, trunk } = this.#pass;
    const { vocabularySize } = config;
    const logits = new Float32Array(ids.length * vocabularySize);
    const rows = trunk.forward(this.#model, [fullyScored(joined(ids, Uint32Array.of(0)))]);
    for (const { begin, count } of this.#pass.logits(rows)) {
      const chunk = await gpu.readback.readFloats(head.logits, count * head.stride);
      for (let row = 0; row < count; row++)
        logits.set(
          chunk.subarray(row * head.stride, row * head.stride + vocabularySize),
          (begin + row) * vocabularySize,
        );
    }
    return logits;
  }

  /** Log-prob [tokens] of each id after those before it; the first has none and is 0. */
  async logprobs(ids: Uint32Array): Promise<Float32Array> {
    const logprobs = new Float32Array(ids.length);
    if (ids.length > 1) logprobs.set((await this.#pass.forward([fullyScored(ids)], 1)).logprobs, 1);
    return logprobs;
  }

  /**
   * Log-probs of the tokens of each continuation after `prompt`, which is computed once. They are the bits that
   * {@link logprobs} gives for prompt and continuation together.
   * @throws RangeError without a prompt: its last token is what the first one of a continuation follows
   */
  async continuations(prompt: Uint32Array, continuations: readonly Uint32Array[]): Promise<Float32Array[]> {
    const last = prompt.length - 1;
    if (last < 0) throw new RangeError("continuations follow a prompt of at least one token");
    this.#pass.record([{ ids: prompt, scored: new Uint8Array(prompt.length) }], 1);
    // What comes next writes the same buffers anew.
    this.#model.gpu.recorder.submit();
    const scored: Float32Array[] = [];
    for (const ids of continuations) {
      const whole = fullyScored(joined(prompt, ids));
      scored.push((await this.#pass.forward([{ ...whole, from: last }], 1)).logprobs);
    }
    return scored;
  }

  destroy(): void {
    this.#pass.destroy();
  }
}

function joined(first: Uint32Array, second: Uint32Array): Uint32Array {
  const ids = new Uint32Array(first.length + second.length);
  ids.set(first);
  ids.set(second, first.length);
  return ids;
}
