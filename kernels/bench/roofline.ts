/** Roofline of an adapter, measured: what the microbenchmarks are held against. */
import copyText from "../../shaders/roof_copy.wgsl?raw";
import fmaText from "../../shaders/roof_fma.wgsl?raw";
import type { GpuContext } from "../../src/gpu/context";
import { defineProgram, elementGrid } from "../program";
import { secondsEach } from "./timing";

const fmaProgram = defineProgram("roof_fma", fmaText, { bindings: ["result"], params: ["steps"] });
const copyProgram = defineProgram("roof_copy", copyText, { bindings: ["x", "y"], params: ["count4"] });

/** The programs that belong to no op. */
export const roofPrograms = [fmaProgram, copyProgram] as const;

const CHAINS = 2;
const TURNS = 8;
const COPY_STEPS = 16;

export interface Roofline {
  /** f32 multiply-adds in registers, two operations each, in 10^9 per second. */
  readonly gflops: number;
  /** Bytes read plus bytes written by a copy, in 10^9 per second. */
  readonly gbs: number;
}

/** Best times, not medians: a roof is what the adapter can do when nothing disturbs it. */
export async function measureRoofline(gpu: GpuContext): Promise<Roofline> {
  const { profile, allocator } = gpu;
  const invocations = profile.isSoftware ? 4096 : 1 << 20;
  const steps = 64;
  const result = allocator.storage("roof: fma", invocations * 16);
  const { best: fmaSeconds } = await secondsEach(gpu, () =>
    fmaProgram.record(gpu, {
      bindings: { result },
      params: { steps },
      constants: { CHAINS, TURNS },
      grid: elementGrid(invocations),
    }),
  );
  allocator.destroy(result);
  // On software adapters what a small model touches stays in the processor's cache; on hardware it passes through
  // memory.
  const bytes = Math.min(profile.isSoftware ? 1 << 20 : 256 << 20, profile.limits.maxStorageBufferBindingSize);
  const views = { x: allocator.storage("roof: copy from", bytes), y: allocator.storage("roof: copy to", bytes) };
  const count4 = Math.floor(bytes / 16 / COPY_STEPS) * COPY_STEPS;
  const { best: copySeconds } = await secondsEach(gpu, () =>
    copyProgram.record(gpu, {
      bindings: views,
      params: { count4 },
      constants: { STEPS: COPY_STEPS },
      grid: elementGrid(count4 / COPY_STEPS),
    }),
  );
  allocator.destroy(views.x);
  allocator.destroy(views.y);
  return {
    gflops: (invocations * steps * TURNS * CHAINS * 4 * 2) / fmaSeconds / 1e9,
    gbs: (2 * count4 * 16) / copySeconds / 1e9,
  };
}
