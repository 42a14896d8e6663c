import { expect, test } from "vitest";
import { linear } from "../../kernels/linear";
import { must } from "../../src/base/must";
import { createContext } from "../../src/gpu/context";
import { dryContext, plannedProfile } from "../../src/gpu/dry";
import { GpuTimer } from "../../src/gpu/timer";
import { testDevice } from "../support/device";

test("more work takes the GPU more time, and never more than the clock on the wall", async ({ skip }) => {
  const gpu = createContext(await testDevice());
  skip(!gpu.profile.hasTimestamps, "the adapter has no timestamps");
  const timer = must(GpuTimer.create(gpu), "the timer");
  const size = 128;
  const matrix = (name: string) => gpu.allocator.storage(name, size * size * 4);
  const [x, weight, y] = [matrix("x"), matrix("weight"), matrix("y")];
  const work = (times: number) => () => {
    for (let i = 0; i < times; i++) linear(gpu, { x, weight, y }, { rows: size, outer: size, inner: size });
  };
  await timer.milliseconds(work(1)); // compiles
  const begun = performance.now();
  const much = await timer.milliseconds(work(64));
  const wall = performance.now() - begun;
  // The smallest of three: on an adapter that computes on the CPU, other work may come in between.
  const little = Math.min(
    await timer.milliseconds(work(4)),
    await timer.milliseconds(work(4)),
    await timer.milliseconds(work(4)),
  );
  expect(little).toBeGreaterThanOrEqual(0);
  expect(much).toBeGreaterThan(little);
  // Timestamps may be rounded to 65.536 microseconds at either end.
  expect(much).toBeLessThan(wall + 0.2);
  timer.destroy();
});

test("a device without timestamps has no timer", () => {
  expect(GpuTimer.create(dryContext(plannedProfile({} as never)))).toBeUndefined();
});
