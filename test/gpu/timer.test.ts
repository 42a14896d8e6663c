import { expect, test } from "vitest";
import { linear } from "../../kernels/linear";
import { createContext } from "../../src/gpu/context";
import { GpuTimer } from "../../src/gpu/timer";
import { testDevice } from "../support/device";

test("more work takes the GPU more time, and never more than the clock on the wall", async () => {
  const gpu = createContext(await testDevice());
  const timer = GpuTimer.create(gpu);
  if (timer === undefined) {
    expect(gpu.profile.hasTimestamps).toBe(false);
    return;
  }
  const size = 128;
  const [x, weight, y] = ["x", "weight", "y"].map((name) => gpu.allocator.storage(name, size * size * 4));
  if (!x || !weight || !y) throw new Error("no buffers");
  const work = (times: number) => () => {
    for (let i = 0; i < times; i++) linear(gpu, { x, weight, y }, { rows: size, outer: size, inner: size });
  };
  await timer.milliseconds(work(1)); // compiles
  const begun = performance.now();
  const much = await timer.milliseconds(work(64));
  const wall = performance.now() - begun;
  const little = await timer.milliseconds(work(4));
  expect(little).toBeGreaterThanOrEqual(0);
  expect(much).toBeGreaterThan(little);
  // Timestamps may be rounded to 65.536 microseconds at either end.
  expect(much).toBeLessThan(wall + 0.2);
  timer.destroy();
});
