/** Log-probs of the scored tokens of whole sequences, many sequences at a time: the forward half of training, and all that a reference model needs. */
import { isGreedy } from "../../kernels/sampling";
import type { Retention } from "./activations";
import { HeadWorkspace, KEEP_ALL, STATISTICS_BYTES } from "./head";
import type { Model } from "./model";
import type { SequenceRows, TrainingSequence } from "./sequence-upload";
import { Trunk, type TrunkShape } from "./trunk";

/** Statistics of the scored tokens, sequence after sequence, positions ascending. */
export interface TokenStatistics {
  readonly logprobs: Float32Array;
  readonly entropies: Float32Array;
  /** 1 where the token is the most probable one at its place, else 0. */
  readonly greedy: Uint8Array;
}

/** Sizes of the buffers. */
export interface ForwardShape extends TrunkShape {
  /** Most bytes for logits at one time. */
  readonly logitsBytes: number;
}

/** A forward pass on its way, as a backward pass needs to know it. */
export interface RecordedForward {
  readonly rows: SequenceRows;
  readonly temperature: number;
  /** The chunk whose logits are still in the head's buffer. */
  readonly lastChunk: number;
}

/** See the file's header. */
export class ForwardPass {
  readonly trunk: Trunk;
  readonly head: HeadWorkspace;
  readonly #model: Model;

  /** @param retention what is kept for a backward pass: nothing unless given */
  constructor(
    model: Model,
    readonly shape: ForwardShape,
    retention: Retention = "nothing",
    label = "forward",
  ) {
    this.#model = model;
    this.trunk = new Trunk(model, shape, retention, label);
    this.head = new HeadWorkspace(model, shape.rows, shape.logitsBytes, `${label} head`);
    model.gpu.write(this.head.thresholds, new Float32Array(shape.rows).fill(KEEP_ALL));
  }

  /** Whether a micro-batch of these sequences fits the buffers. */
  fits(sequences: number, rows: number): boolean {
    return this.trunk.fits(sequences, rows);
  }

  /**
   * Log-probs and entropies of the scored tokens at `temperature`, the bits that {@link TrainingPass.forward} gives.
   * @throws RangeError when the sequences do not fit; see {@link fits}
   */
  async forward(sequences: readonly TrainingSequence[], temperature: number): Promise<TokenStatistics> {
    return this.statistics(this.record(sequences, temperature));
  }

  /** Uploads the sequences and records everything up to the statistics of their scored tokens. */
  record(sequences: readonly TrainingSequence[], temperature: number): RecordedForward {
    const { head, trunk } = this;
    const rows = trunk.forward(this.#model, sequences);
    head.writeScored(rows);
    let lastChunk = 0;
    for (const { begin, count } of head.chunks(rows.scored.length)) {
      head.logitsOf(trunk.output, begin, count);
      head.score(trunk.tables.slotTokens, this.shape.sequenceLength, begin, count, temperature);
      lastChunk = begin;
    }
    return { rows, temperature, lastChunk };
  }

  /** Submits, and reads the statistics back. */
  async statistics({ rows }: RecordedForward): Promise<TokenStatistics> {
    const count = rows.scored.length;
    const words = STATISTICS_BYTES / 4;
    const statistics = await this.#model.gpu.readback.readFloats(this.head.statistics, count * words);
    const logprobs = new Float32Array(count);
    const entropies = new Float32Array(count);
    const greedy = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      logprobs[i] = statistics[i * words] ?? Number.NaN;
      entropies[i] = statistics[i * words + 2] ?? Number.NaN;
      greedy[i] = isGreedy(statistics[i * words + 3] ?? Number.NaN) ? 1 : 0;
    }
    return { logprobs, entropies, greedy };
  }

  destroy(): void {
    this.trunk.destroy();
    this.head.destroy();
  }
}
