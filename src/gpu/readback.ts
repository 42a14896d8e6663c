/** Reads GPU buffers back without waiting: a ring of mappable buffers per size, so that several readbacks may be under way. */
import type { BufferAllocator, BufferView } from "./buffers";
import type { Recorder } from "./recorder";

const MAP_READ_COPY_DST = 0x01 | 0x08;

/** See the file's header. */
export class ReadbackRing {
  readonly #free = new Map<number, BufferView[]>();

  #pending = 0;
  readonly #allocator: BufferAllocator;
  readonly #recorder: Recorder;
  readonly #assertHealthy: () => void;
  readonly #whileWaiting: (isWaiting: () => boolean) => void;

  /** @param whileWaiting is called when waiting begins, with a function that says whether it still goes on; see {@link GpuContext} */
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
   * Records a copy of `bytes` of `view`, submits everything recorded so far, and resolves with the bytes once the GPU has got there.
   * @throws the device's first error, when there was one: data after an error would be stale.
   */
  async read(view: BufferView, bytes: number, offset = 0): Promise<ArrayBuffer> {
    const size = Math.max(256, 2 ** Math.ceil(Math.log2(Math.max(1, bytes))));
    const pool = this.#free.get(size) ?? [];
    this.#free.set(size, pool);
    const target = pool.pop() ?? this.#allocator.create("readback", size, MAP_READ_COPY_DST);
    const copied = Math.ceil(bytes / 4) * 4;
    if (copied > 0) this.#recorder.copy(view, target, copied, offset);
    this.#recorder.submit();
    this.#recorder.counters.readbacks++;
    this.#assertHealthy();
    if (this.#pending++ === 0) this.#whileWaiting(() => this.#pending > 0);
    try {
      await target.buffer.mapAsync(1, 0, size);
    } finally {
      this.#pending--;
    }
    const data = target.buffer.getMappedRange(0, size).slice(0, bytes);
    target.buffer.unmap();
    pool.push(target);
    this.#assertHealthy();
    return data;
  }

  async readFloats(view: BufferView, count: number, offset = 0): Promise<Float32Array> {
    return new Float32Array(await this.read(view, count * 4, offset));
  }

  async readUints(view: BufferView, count: number, offset = 0): Promise<Uint32Array> {
    return new Uint32Array(await this.read(view, count * 4, offset));
  }
}
