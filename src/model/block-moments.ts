/**
 * AdamW moments in 8 bits: one moment of every tensor of a layout, quantised in blocks. Checkpoints hold it decoded, in
 * f32; encoding that again gives the same bytes.
 */

import { decodeMoments, encodeMoments, MOMENT_BLOCK, type MomentKind, momentBlocks } from "../../kernels/adamw_8bit";
import { at } from "../base/must";
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { TensorToWrite } from "./safetensors/write";
import { type Placement, type TensorLayout, tensorParts, tensorWidth, withRowsOf } from "./segments";

/** The two buffers of a segment. */
export interface MomentSegment {
  readonly bytes: BufferView;
  readonly scales: BufferView;
}

export class BlockMoments {
  readonly #segments: readonly MomentSegment[];
  readonly #gpu: GpuContext;
  readonly #kind: MomentKind;

  constructor(
    gpu: GpuContext,
    readonly layout: TensorLayout,
    kind: MomentKind,
    labelPrefix: string,
  ) {
    this.#gpu = gpu;
    this.#kind = kind;
    this.#segments = layout.segments.map(({ length }, index) => {
      const label = `${labelPrefix}AdamW ${kind} moment, segment ${index}`;
      const blocks = momentBlocks(length);
      return {
        bytes: gpu.allocator.storage(label, blocks * MOMENT_BLOCK),
        scales: gpu.allocator.storage(`${label}, scales`, blocks * 4),
      };
    });
  }

  /** The buffers of one segment. */
  segment(index: number): MomentSegment {
    return at(this.#segments, index);
  }

  /**
   * Encodes and uploads all tensors. A block may hold parts of several, so the segments are put together on the host
   * first, in f32.
   */
  async load(read: (tensor: Placement) => Promise<Float32Array>): Promise<void> {
    const values = this.layout.segments.map(({ length }) => new Float32Array(length));
    for (const tensor of this.layout.tensors) {
      const width = tensorWidth(this.layout, tensor.hfName);
      const data = withRowsOf(await read(tensor), width.given, width.held);
      for (const { segment, start, begin, end } of tensorParts(this.layout, tensor.hfName))
        at(values, segment).set(data.subarray(begin, end), start);
    }
    values.forEach((segment, index) => {
      const stored = encodeMoments(this.#kind, segment);
      this.#gpu.write(this.segment(index).bytes, stored.bytes);
      this.#gpu.write(this.segment(index).scales, stored.scales);
    });
  }

  /** Reads one tensor back, by its name in the checkpoint. */
  async download(hfName: string): Promise<Float32Array> {
    const width = tensorWidth(this.layout, hfName);
    const data = new Float32Array(width.rows * width.held);
    for (const { segment, start, begin, end } of tensorParts(this.layout, hfName)) {
      const views = this.segment(segment);
      const first = Math.floor(start / MOMENT_BLOCK);
      const blocks = momentBlocks(start + end - begin) - first;
      const bytes = await this.#gpu.readback.readUints(views.bytes, (blocks * MOMENT_BLOCK) / 4, first * MOMENT_BLOCK);
      const words = await this.#gpu.readback.readUints(views.scales, blocks, first * 4);
      const scales = new Float32Array(words.buffer, words.byteOffset, words.length);
      const offset = start - first * MOMENT_BLOCK;
      const values = decodeMoments(this.#kind, { bytes, scales }, offset + end - begin);
      data.set(values.subarray(offset), begin);
    }
    return withRowsOf(data, width.held, width.given);
  }

  /** All tensors, to be read back one at a time while a file is written. `rename` prefixes the names. */
  toWrite(rename: (hfName: string) => string): TensorToWrite[] {
    return [...this.layout.tensors].map(({ hfName, shape }) => ({
      name: rename(hfName),
      shape,
      data: () => this.download(hfName),
    }));
  }

  destroy(): void {
    for (const { bytes, scales } of this.#segments)
      for (const view of [bytes, scales]) this.#gpu.allocator.destroy(view);
  }
}
