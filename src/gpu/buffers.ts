/**
 * GPU buffers and views of them. Every buffer has a number, so that bind groups can be cached by value, and every byte
 * is counted, because WebGPU has no memory query.
 */

import { UserError } from "../base/errors";

/** A range of a GPU buffer, bound as one binding. `offset` and `size` are in bytes. */
export interface BufferView {
  readonly buffer: GPUBuffer;
  readonly id: number;
  readonly offset: number;
  readonly size: number;
}

/** STORAGE | COPY_SRC | COPY_DST, spelt out because a browser worker may lack the globals at import time. */
const STORAGE_USAGE = 0x80 | 0x04 | 0x08;

/** Creates buffers, numbers them and counts their bytes. */
export class BufferAllocator {
  #nextId = 1;
  readonly #sizes = new Map<GPUBuffer, number>();
  readonly #onDestroy: ((id: number) => void)[] = [];
  /** Bytes of all live buffers. */
  allocatedBytes = 0;
  /** The highest value that `allocatedBytes` has had. */
  peakBytes = 0;
  readonly #device: GPUDevice;
  readonly #limits: { maxStorageBufferBindingSize: number; maxBufferSize: number };

  constructor(device: GPUDevice, limits: { maxStorageBufferBindingSize: number; maxBufferSize: number }) {
    this.#device = device;
    this.#limits = limits;
  }

  /**
   * A storage buffer of `bytes` (rounded up to 16, so that vec4 bindings always fit), filled with zeros.
   * @throws UserError when one binding cannot hold it on this adapter.
   */
  storage(label: string, bytes: number): BufferView {
    const limit = Math.min(this.#limits.maxStorageBufferBindingSize, this.#limits.maxBufferSize);
    if (bytes > limit)
      throw new UserError(
        `${label} needs ${bytes} bytes, and one buffer of this adapter holds ${limit}: use a smaller batch or length, or an adapter with larger bindings`,
      );
    return this.create(label, bytes, STORAGE_USAGE);
  }

  /** A buffer with any usage flags. */
  create(label: string, bytes: number, usage: number): BufferView {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const buffer = this.#device.createBuffer({ label, size, usage });
    this.#sizes.set(buffer, size);
    this.allocatedBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.allocatedBytes);
    return { buffer, id: this.#nextId++, offset: 0, size };
  }

  /** Bytes of live buffers, under the labels they were made with. */
  bytesByLabel(): Map<string, number> {
    const bytes = new Map<string, number>();
    for (const [{ label }, size] of this.#sizes) bytes.set(label, (bytes.get(label) ?? 0) + size);
    return bytes;
  }

  /** Calls back with the number of every buffer that is freed from now on. */
  onDestroy(listener: (id: number) => void): void {
    this.#onDestroy.push(listener);
  }

  /** Frees the buffer behind a view. */
  destroy(view: BufferView): void {
    const size = this.#sizes.get(view.buffer);
    if (size === undefined) return;
    this.#sizes.delete(view.buffer);
    this.allocatedBytes -= size;
    view.buffer.destroy();
    for (const listener of this.#onDestroy) listener(view.id);
  }
}

/** A part of `view`, in bytes. The offset must be a multiple of 256 (the largest alignment an adapter may ask for). */
export function subview(view: BufferView, offset: number, size: number): BufferView {
  if (offset % 256 !== 0) throw new RangeError(`subview offset ${offset} is not a multiple of 256`);
  if (offset + size > view.size) throw new RangeError(`subview ends at ${offset + size}, the buffer at ${view.size}`);
  return { buffer: view.buffer, id: view.id, offset: view.offset + offset, size };
}
