/**
 * Slots on the GPU: token ids, page tables and KV pages of all layers. Prefill, decode and training address them by rows (slot, position), so all three run the
 * same pipelines.
 */
import { KV_TILE } from "../../kernels/attention";
import type { PageShape } from "../../kernels/rope";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { ModelConfig } from "./config";

/** Sizes of a set of slots. */
export interface SequenceShape {
  readonly slots: number;
  /** Most tokens of a slot. */
  readonly slotLength: number;
  readonly pageSize: number;
  readonly pages: number;
}

/** Buffers of a set of slots. Nothing in them is valid before it was written. */
export class SequenceTables {
  readonly slotTokens: BufferView;
  readonly slotPages: BufferView;
  readonly kPages: readonly BufferView[];
  readonly vPages: readonly BufferView[];
  readonly pageShape: PageShape;
  /** Elements of one page of one layer's pool. */
  readonly pageElements: number;
  readonly #gpu: GpuContext;

  constructor(
    gpu: GpuContext,
    config: ModelConfig,
    readonly shape: SequenceShape,
    label: string,
  ) {
    this.#gpu = gpu;
    if (shape.pageSize % KV_TILE !== 0)
      throw new RangeError(`pages of ${shape.pageSize} tokens do not hold whole attention tiles of ${KV_TILE}`);
    const pagesPerSlot = Math.ceil(shape.slotLength / shape.pageSize);
    this.pageShape = { pageSize: shape.pageSize, pagesPerSlot };
    this.pageElements = config.kvHeadCount * shape.pageSize * config.headDim;
    this.slotTokens = gpu.allocator.storage(`${label}: tokens of slots`, shape.slots * shape.slotLength * 4);
    this.slotPages = gpu.allocator.storage(`${label}: page tables`, shape.slots * pagesPerSlot * 4);
    const pool = (name: string, layer: number) =>
      gpu.allocator.storage(`${label}: ${name} pages of layer ${layer}`, shape.pages * this.pageElements * 4);
    this.kPages = Array.from({ length: config.layerCount }, (_, layer) => pool("key", layer));
    this.vPages = Array.from({ length: config.layerCount }, (_, layer) => pool("value", layer));
  }

  setTokens(slot: number, position: number, ids: Uint32Array): void {
    if (position + ids.length > this.shape.slotLength)
      throw new RangeError(`slot ${slot} holds ${this.shape.slotLength} tokens, not ${position + ids.length}`);
    this.#gpu.write(this.slotTokens, ids, (slot * this.shape.slotLength + position) * 4);
  }

  setPages(slot: number, pages: Uint32Array): void {
    if (pages.length > this.pageShape.pagesPerSlot)
      throw new RangeError(`slot ${slot} has ${this.pageShape.pagesPerSlot} pages, not ${pages.length}`);
    this.#gpu.write(this.slotPages, pages, slot * this.pageShape.pagesPerSlot * 4);
  }

  destroy(): void {
    for (const view of [this.slotTokens, this.slotPages, ...this.kPages, ...this.vPages])
      this.#gpu.allocator.destroy(view);
  }
}
