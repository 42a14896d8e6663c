/** All of one device's state that the rest of the program shares. */
import { BufferAllocator, type BufferView } from "./buffers";
import type { OpenDevice } from "./device";
import { PipelineCache } from "./pipelines";
import type { DeviceProfile } from "./profile";
import { ReadbackRing } from "./readback";
import { Recorder } from "./recorder";

export interface GpuContext {
  readonly device: GPUDevice;
  readonly profile: DeviceProfile;
  readonly allocator: BufferAllocator;
  readonly pipelines: PipelineCache;
  readonly recorder: Recorder;
  readonly readback: ReadbackRing;
  /** Sixteen zero bytes, bound where a program's variant has no use for a binding. */
  readonly empty: BufferView;
  /** Throws the device's first error. */
  assertHealthy(): void;
  /**
   * Uploads typed data into a view, ordered with the submits: what was recorded before must be submitted first if it
   * reads the old data.
   */
  write(view: BufferView, data: Float32Array | Uint32Array, offset?: number): void;
}

/**
 * Builds the shared state over an opened device.
 * @param whileWaiting is called each time the program begins to wait for the GPU. Dawn in Node polls without pause
 * while it waits, and on a software adapter that takes a core away from the work that is waited for: there the platform
 * slows the polling down.
 */
export function createContext(
  opened: OpenDevice,
  whileWaiting: (isWaiting: () => boolean) => void = () => {},
): GpuContext {
  const { device, profile } = opened;
  const assertHealthy = () => opened.failure.assertHealthy();
  const allocator = new BufferAllocator(device, profile.limits);
  const recorder = new Recorder(device, allocator);
  return {
    device,
    profile,
    allocator,
    pipelines: new PipelineCache(device),
    recorder,
    readback: new ReadbackRing(allocator, recorder, assertHealthy, whileWaiting),
    empty: allocator.storage("empty", 16),
    assertHealthy,
    write(view, data, offset = 0) {
      if (data.byteLength > 0)
        device.queue.writeBuffer(view.buffer, view.offset + offset, data.buffer, data.byteOffset, data.byteLength);
    },
  };
}
