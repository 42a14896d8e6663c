/** The rows of a batch on the GPU, with the tiles that attention takes of them behind. */
import { type AttentionTiles, tileCapacity, withTiles } from "../../kernels/attention_tiles";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";

const ENTRY_BYTES = 16;

/** A batch as the layers see it. */
export interface BatchRows {
  /** [count + tiles, 4]: slot, position, end of the sequence's rows (training only), 0; then tiles. */
  readonly view: BufferView;
  readonly count: number;
  readonly tiles: AttentionTiles;
}

export class RowTable {
  readonly #gpu: GpuContext;
  readonly #view: BufferView;

  /** @param capacity most rows of a batch */
  constructor(gpu: GpuContext, capacity: number, label: string) {
    this.#gpu = gpu;
    this.#view = gpu.allocator.storage(`${label} (rows)`, (capacity + tileCapacity(capacity)) * ENTRY_BYTES);
  }

  /** Uploads the rows [count, 4] of the next batch. */
  write(rows: Uint32Array): BatchRows {
    const { table, tiles } = withTiles(rows);
    this.#gpu.write(this.#view, table);
    return { view: this.#view, count: rows.length / 4, tiles };
  }

  destroy(): void {
    this.#gpu.allocator.destroy(this.#view);
  }
}
