/**
 * The final RMS norm over chosen rows of the last hidden states, one chunk of rows at a time, forward and backward: the
 * layer below the language-model head and below the value head.
 */
import { columnSum } from "../../kernels/column_sum";
import { gatherRows, scatterRows } from "../../kernels/gather";
import { rmsNorm, rmsNormBackward, wholeRows } from "../../kernels/rms_norm";
import type { BufferView } from "../gpu/buffers";
import { type Chunk, viewFrom } from "./chunks";
import type { Model } from "./model";
import type { GradientTargets } from "./projection";

/** Buffers for up to `capacity` chosen rows, of which `chunkRows` are there at one time. */
export class FinalNorm {
  readonly rowIndex: BufferView;
  readonly hidden: BufferView;
  /** [chunkRows, hidden]: the result. */
  readonly normed: BufferView;
  readonly rstd: BufferView;
  readonly #model: Model;

  /** @param chunkRows a multiple of `ROW_ALIGNMENT` */
  constructor(
    model: Model,
    capacity: number,
    readonly chunkRows: number,
    label: string,
  ) {
    this.#model = model;
    const { gpu, config } = model;
    const allocate = (name: string, elements: number) => gpu.allocator.storage(`${label} (${name})`, elements * 4);
    this.rowIndex = allocate("row index", capacity);
    this.hidden = allocate("hidden", chunkRows * config.hiddenSize);
    this.normed = allocate("normed", chunkRows * config.hiddenSize);
    this.rstd = allocate("rstd", chunkRows);
  }

  /** Gathers a chunk of the row index out of `hiddenStates` and normalises it. */
  forward(hiddenStates: BufferView, { begin, count }: Chunk): void {
    const { gpu, config, weights, layout } = this.#model;
    const rowIndex = viewFrom(this.rowIndex, begin * 4);
    gatherRows(gpu, { rowIndex, x: hiddenStates, y: this.hidden }, { count, width: config.hiddenSize });
    rmsNorm(
      gpu,
      { x: this.hidden, gain: weights.vector(layout.finalNorm), y: this.normed, rstd: this.rstd },
      wholeRows(count, config.hiddenSize),
      config.rmsNormEpsilon,
    );
  }

  destroy(): void {
    for (const view of [this.rowIndex, this.hidden, this.normed, this.rstd]) this.#model.gpu.allocator.destroy(view);
  }
}

/** Backward pass of a {@link FinalNorm}: its buffers. */
export class FinalNormBackward {
  /** [chunkRows, hidden]: the gradient of `normed`, from the head. */
  readonly dnormed: BufferView;
  readonly #dhidden: BufferView;
  readonly #model: Model;
  readonly #norm: FinalNorm;

  constructor(model: Model, norm: FinalNorm, label: string) {
    this.#model = model;
    this.#norm = norm;
    const { gpu, config } = model;
    const bytes = norm.chunkRows * config.hiddenSize * 4;
    this.dnormed = gpu.allocator.storage(`${label} (gradient of normed)`, bytes);
    this.#dhidden = gpu.allocator.storage(`${label} (gradient of hidden)`, bytes);
  }

  /**
   * From `dnormed` of the chunk that the norm holds to the gain's gradient and the chunk's rows of `doutput`, which are
   * overwritten.
   */
  backward(targets: GradientTargets, { begin, count }: Chunk, partials: BufferView, doutput: BufferView): void {
    const { gpu, config, weights, layout } = this.#model;
    const { hidden, rstd, rowIndex } = this.#norm;
    const whole = wholeRows(count, config.hiddenSize);
    if (targets.model !== undefined)
      columnSum(
        gpu,
        {
          dy: this.dnormed,
          normalised: { x: hidden, rstd },
          partials,
          gradient: targets.model.vector(layout.finalNorm),
        },
        whole,
      );
    rmsNormBackward(
      gpu,
      { x: hidden, gain: weights.vector(layout.finalNorm), rstd, dy: this.dnormed, dx: this.#dhidden },
      whole,
    );
    scatterRows(
      gpu,
      { rowIndex: viewFrom(rowIndex, begin * 4), y: this.#dhidden, x: doutput },
      { count, width: config.hiddenSize },
    );
  }

  destroy(): void {
    for (const view of [this.dnormed, this.#dhidden]) this.#model.gpu.allocator.destroy(view);
  }
}
