/** How long the GPU itself takes for recorded work, without the time to record, submit and read back. */
import { at } from "../base/must";
import type { BufferView } from "./buffers";
import type { GpuContext } from "./context";

const QUERY_RESOLVE_COPY_SRC = 0x0200 | 0x0004;

/** Times one pass at a time: timestamps are written at the borders of a pass only. */
export class GpuTimer {
  readonly #querySet: GPUQuerySet;
  readonly #resolved: BufferView;
  readonly #gpu: GpuContext;

  private constructor(gpu: GpuContext) {
    this.#gpu = gpu;
    this.#querySet = gpu.device.createQuerySet({ type: "timestamp", count: 2 });
    this.#resolved = gpu.allocator.create("timestamps", 16, QUERY_RESOLVE_COPY_SRC);
  }

  /** A timer, or undefined on a device without timestamp queries. */
  static create(gpu: GpuContext): GpuTimer | undefined {
    return gpu.profile.hasTimestamps ? new GpuTimer(gpu) : undefined;
  }

  /**
   * Milliseconds between the beginning and the end of the pass in which `record` puts its dispatches; copies would end
   * the pass and are not counted. Where timestamps are quantised (browsers, Dawn's `safe` profile: 65.536 microseconds)
   * record enough work.
   */
  async milliseconds(record: () => void): Promise<number> {
    const { recorder, readback } = this.#gpu;
    recorder.submit();
    recorder.timeNextPass(this.#querySet);
    record();
    recorder.resolveTimestamps(this.#querySet, this.#resolved);
    const times = new BigUint64Array(await readback.read(this.#resolved, 16));
    return Number(at(times, 1) - at(times, 0)) / 1e6;
  }

  destroy(): void {
    this.#querySet.destroy();
    this.#gpu.allocator.destroy(this.#resolved);
  }
}
