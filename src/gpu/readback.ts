/**
 * Reads GPU buffers back without waiting: mappable staging buffers, used again, so that several readbacks may be under
 * way.
 */
import { must } from "../base/must";
import type { BufferAllocator, BufferView } from "./buffers";
import type { Recorder } from "./recorder";

const MAP_READ_COPY_DST = 0x01 | 0x08;

/** Most bytes of one staging buffer: more is read piece by piece. Any adapter's buffers hold it. */
export const LARGEST_STAGING = 64 * 2 ** 20;
/** Most bytes of staging buffers that are kept for the next readbacks. */
export const MOST_KEPT = 64 * 2 ** 20;

/** Staging buffers are made in sizes of powers of two, so that readbacks of about a size share them. */
export class ReadbackRing {
  readonly #allocator: BufferAllocator;
  readonly #recorder: Recorder;
  readonly #assertHealthy: () => void;
  readonly #whileWaiting: (isWaiting: () => boolean) => void;
  /** Kept buffers by size. */
  readonly #kept = new Map<number, BufferView[]>();
  #keptBytes = 0;
  #pending = 0;

  /**
   * @param whileWaiting is called when waiting begins, with a function that says whether it still goes on; see
   * {@link GpuContext}
   */
  constructor(
    allocator: BufferAllocator,
    recorder: Recorder,
    assertHealthy: () => void,
    whileWaiting: (isWaiting: () => boolean) => void,
  ) {
    this.#allocator = allocator;
    this.#recorder = recorder;
    this.#assertHealthy = assertHealthy;
    this.#whileWaiting = whileWaiting;
  }

  /**
   * Records a copy of `bytes` of `view`, submits everything recorded so far, and resolves with the bytes once the GPU
   * has got there. Of more than {@link LARGEST_STAGING} bytes, the later pieces are copied after the earlier ones have
   * arrived: nobody may change them meanwhile.
   * @throws the device's first error, when there was one: data after an error would be stale.
   */
  async read(view: BufferView, bytes: number, offset = 0): Promise<ArrayBuffer> {
    if (bytes <= LARGEST_STAGING) return this.#readPiece(view, bytes, offset);
    const data = new Uint8Array(bytes);
    for (let begin = 0; begin < bytes; begin += LARGEST_STAGING) {
      const length = Math.min(LARGEST_STAGING, bytes - begin);
      data.set(new Uint8Array(await this.#readPiece(view, length, offset + begin)), begin);
    }
    return data.buffer;
  }

  async readFloats(view: BufferView, count: number, offset = 0): Promise<Float32Array> {
    return new Float32Array(await this.read(view, count * 4, offset));
  }

  async readUints(view: BufferView, count: number, offset = 0): Promise<Uint32Array> {
    return new Uint32Array(await this.read(view, count * 4, offset));
  }

  async #readPiece(view: BufferView, bytes: number, offset: number): Promise<ArrayBuffer> {
    const target = this.#take(Math.max(256, 2 ** Math.ceil(Math.log2(Math.max(1, bytes)))));
    let isUnmapped = false;
    try {
      const copied = Math.ceil(bytes / 4) * 4;
      if (copied > 0) this.#recorder.copy(view, target, copied, offset);
      this.#recorder.submit();
      this.#recorder.counters.readbacks++;
      this.#assertHealthy();
      await this.#map(target);
      const data = target.buffer.getMappedRange(0, target.size).slice(0, bytes);
      target.buffer.unmap();
      isUnmapped = true;
      this.#assertHealthy();
      return data;
    } finally {
      if (isUnmapped) this.#keep(target);
      else this.#allocator.destroy(target);
    }
  }

  async #map({ buffer, size }: BufferView): Promise<void> {
    if (this.#pending++ === 0) this.#whileWaiting(() => this.#pending > 0);
    try {
      await buffer.mapAsync(1, 0, size);
    } finally {
      this.#pending--;
    }
  }

  #take(size: number): BufferView {
    const kept = this.#kept.get(size)?.pop();
    if (kept === undefined) return this.#allocator.create("readback", size, MAP_READ_COPY_DST);
    this.#keptBytes -= size;
    return kept;
  }

  /** Keeps a buffer. What is then too much goes, the largest first: small ones are wanted again in every step. */
  #keep(view: BufferView): void {
    const ofSize = this.#kept.get(view.size) ?? [];
    this.#kept.set(view.size, ofSize);
    ofSize.push(view);
    this.#keptBytes += view.size;
    while (this.#keptBytes > MOST_KEPT) {
      const largest = Math.max(...[...this.#kept].flatMap(([size, views]) => (views.length > 0 ? [size] : [])));
      const dropped = must(this.#kept.get(largest)?.pop(), "a kept staging buffer");
      this.#keptBytes -= largest;
      this.#allocator.destroy(dropped);
    }
  }
}
