/** The cache of bind groups. */
import { expect, test } from "vitest";
import { linear } from "../../kernels/linear";
import { createContext } from "../../src/gpu/context";
import { testDevice } from "../support/device";

test("a bind group goes with any of its buffers, and the others stay", async () => {
  const gpu = createContext(await testDevice());
  const size = 16;
  const matrix = (name: string) => gpu.allocator.storage(name, size * size * 4);
  const shape = { rows: size, outer: size, inner: size };
  const x = matrix("x");
  const last = { weight: matrix("weight"), y: matrix("y") };
  linear(gpu, { x, ...last }, shape);
  const { cachedBindGroups: kept } = gpu.recorder;
  // Models that are opened and closed in one context.
  for (let model = 0; model < 3; model++) {
    const [weight, y] = [matrix("weight"), matrix("y")];
    linear(gpu, { x, weight, y }, shape);
    expect(gpu.recorder.cachedBindGroups).toBe(kept + 1);
    gpu.recorder.submit();
    gpu.allocator.destroy(model === 0 ? weight : y);
    expect(gpu.recorder.cachedBindGroups).toBe(kept);
    gpu.allocator.destroy(model === 0 ? y : weight);
  }
  const made = gpu.recorder.counters.bindGroups;
  linear(gpu, { x, ...last }, shape);
  gpu.recorder.submit();
  expect(gpu.recorder.counters.bindGroups).toBe(made);
  gpu.allocator.destroy(x);
  expect(gpu.recorder.cachedBindGroups).toBe(0);
});
