/** Staging buffers of readbacks: large buffers piece by piece, few bytes kept, none lost. */
import { expect, test } from "vitest";
import { createContext } from "../../src/gpu/context";
import type { OpenDevice } from "../../src/gpu/device";
import { plannedProfile } from "../../src/gpu/dry";
import { LARGEST_STAGING, MOST_KEPT } from "../../src/gpu/readback";
import { testDevice } from "../support/device";

const MIB = 2 ** 20;

/** A context whose buffers hold nothing, and whose next mapping can be made to fail. */
function fakeContext() {
  const state: { mapping: Error | undefined; device: Error | undefined; sizes: number[] } = {
    mapping: undefined,
    device: undefined,
    sizes: [],
  };
  const device = {
    createBuffer({ label, size }: GPUBufferDescriptor) {
      state.sizes.push(size);
      return {
        label,
        size,
        async mapAsync() {
          if (state.mapping !== undefined) throw state.mapping;
        },
        getMappedRange: (_: number, length: number) => new ArrayBuffer(length),
        unmap() {},
        destroy() {},
      };
    },
    createCommandEncoder: () => ({ copyBufferToBuffer() {}, finish() {} }),
    queue: { writeBuffer() {}, submit() {} },
  };
  const profile = plannedProfile({ maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 } as never);
  const assertHealthy = () => {
    if (state.device !== undefined) throw state.device;
  };
  const opened: OpenDevice = {
    device: device as unknown as GPUDevice,
    profile,
    failure: { error: undefined, assertHealthy, onFailure: () => () => {} },
  };
  const gpu = createContext(opened);
  return { gpu, state, staged: () => gpu.allocator.bytesByLabel().get("readback") ?? 0 };
}

test("a large buffer is read whole, and no more staging bytes stay than are kept", async () => {
  const gpu = createContext(await testDevice());
  const bytes = 2 * LARGEST_STAGING + 20;
  const view = gpu.allocator.create("large", bytes, GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
  const places = [0, LARGEST_STAGING - 4, LARGEST_STAGING, 2 * LARGEST_STAGING - 4, 2 * LARGEST_STAGING, bytes - 4];
  for (const place of places) gpu.write(view, Uint32Array.of(place + 1), place);
  const words = await gpu.readback.readUints(view, (bytes - 4) / 4, 4);
  expect(words.length).toBe((bytes - 4) / 4);
  for (const place of places.slice(1)) expect(words[place / 4 - 1]).toBe(place + 1);
  expect(gpu.allocator.bytesByLabel().get("readback")).toBeLessThanOrEqual(MOST_KEPT);
  gpu.allocator.destroy(view);
});

test("no staging buffer is larger than a piece, and small ones are used again", async () => {
  const { gpu, state, staged } = fakeContext();
  const view = gpu.allocator.storage("embedding", 519 * MIB);
  await gpu.readback.read(view, 3 * LARGEST_STAGING + 5 * MIB);
  expect(Math.max(...state.sizes.filter((size) => size !== 519 * MIB))).toBe(LARGEST_STAGING);
  expect(staged()).toBeLessThanOrEqual(MOST_KEPT);
  // The readbacks of a step are small: they take the place of the large ones, and are then kept.
  await gpu.readback.read(view, 1024);
  const made = state.sizes.length;
  for (let step = 0; step < 3; step++) await gpu.readback.read(view, 1000);
  expect(state.sizes.length).toBe(made);
  expect(staged()).toBeLessThanOrEqual(MOST_KEPT);
});

test("many sizes at once keep no more than a few", async () => {
  const { gpu, staged } = fakeContext();
  const view = gpu.allocator.storage("x", 64 * MIB);
  const sizes = [48, 33, 17, 9, 5, 3, 1].map((size) => size * MIB);
  await Promise.all(sizes.map((size) => gpu.readback.read(view, size)));
  expect(staged()).toBeLessThanOrEqual(MOST_KEPT);
  expect(staged()).toBeGreaterThan(0);
});

test("a staging buffer is not lost when the mapping or the device fails", async () => {
  const { gpu, state, staged } = fakeContext();
  const view = gpu.allocator.storage("x", MIB);
  state.mapping = new Error("the device was lost");
  await expect(gpu.readback.read(view, MIB)).rejects.toThrow("the device was lost");
  expect(staged()).toBe(0);
  state.mapping = undefined;
  state.device = new Error("out of memory");
  await expect(gpu.readback.read(view, MIB)).rejects.toThrow("out of memory");
  expect(staged()).toBe(0);
});
