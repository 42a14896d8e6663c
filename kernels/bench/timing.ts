/** Timing of recorded work: one warm-up, then repeated samples. */
import { at } from "../../src/base/must";
import type { GpuContext } from "../../src/gpu/context";

const SAMPLES = 5;
const TOTAL_SECONDS = 0.2;

/** Middle value; the upper one of two. */
export function median(values: readonly number[]): number {
  return at(
    [...values].sort((a, b) => a - b),
    values.length >> 1,
  );
}

/**
 * Seconds of one `record()`: the median and the best of at least five samples that last 0.2 s together. A sample
 * submits as many as fill its part of that, and waits for the queue; the first run, which compiles, is not counted.
 */
export async function secondsEach(gpu: GpuContext, record: () => void): Promise<{ median: number; best: number }> {
  const run = async (times: number) => {
    const start = performance.now();
    for (let i = 0; i < times; i++) record();
    gpu.recorder.submit();
    await gpu.device.queue.onSubmittedWorkDone();
    gpu.assertHealthy();
    return (performance.now() - start) / 1000;
  };
  await run(1);
  const probe = await run(1);
  const times = Math.min(1000, Math.max(1, Math.ceil(TOTAL_SECONDS / SAMPLES / probe)));
  const samples: number[] = [];
  let total = 0;
  while (samples.length < SAMPLES || total < TOTAL_SECONDS) {
    const seconds = await run(times);
    total += seconds;
    samples.push(seconds / times);
  }
  return { median: median(samples), best: Math.min(...samples) };
}
