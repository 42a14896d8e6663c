/** `doctor`: which adapter a run would use, what it can do, how fast it is, and whether it computes exactly. */
import { measureRoofline } from "../../kernels/bench/roofline";
import { median, secondsEach } from "../../kernels/bench/timing";
import { linear } from "../../kernels/linear";
import { swiglu } from "../../kernels/swiglu";
import { checkExactness } from "../diagnostics/exactness";
import { createContext, type GpuContext } from "../gpu/context";
import type { DeviceProfile, Toggles } from "../gpu/device";
import { closeNodeDevice, openNodeDevice } from "../platform/node/adapter";

export interface DoctorRequest {
  readonly adapter: string | null;
  readonly toggles: Toggles;
}

export interface DoctorReport {
  /** Whether exactness holds. */
  readonly ok: boolean;
  readonly profile: DeviceProfile;
  /** The remark when the adapter is a fallback. */
  readonly fallback: string | null;
  readonly measured: Measured;
  readonly exactness: Exactness;
}

export interface Exactness {
  readonly exact: boolean;
  /** Sampled tokens, and those whose log-prob is another when training computes it. */
  readonly tokens: number;
  readonly unequal: number;
}

/** What is told as soon as it is known. */
export interface DoctorEvents {
  readonly announce: (line: string) => void;
  readonly onProfile: (profile: DeviceProfile) => void;
  readonly onMeasured: (measured: Measured) => void;
  readonly onExactness: (exactness: Exactness) => void;
}

/** @throws UserError when there is no adapter, with what to do; GpuError when the device fails */
export async function doctor({ adapter, toggles }: DoctorRequest, events: DoctorEvents): Promise<DoctorReport> {
  let fallback: string | null = null;
  const opened = await openNodeDevice({
    adapter: adapter ?? undefined,
    toggles,
    announce(line) {
      fallback = line;
      events.announce(line);
    },
  });
  try {
    const { profile } = opened;
    events.onProfile(profile);
    const gpu = createContext(opened);
    const measured = await measure(gpu);
    events.onMeasured(measured);
    const { tokens, unequal } = await checkExactness(gpu);
    const exactness = { exact: unequal === 0, tokens, unequal };
    gpu.assertHealthy();
    events.onExactness(exactness);
    return { ok: exactness.exact, profile, fallback, measured, exactness };
  } finally {
    closeNodeDevice(opened);
  }
}

/** What is measured, in a few seconds altogether. */
export interface Measured {
  /** Fused multiply-adds in registers, no memory traffic: the f32 roof of this adapter, two operations each. */
  readonly fmaGflops: number;
  /** The linear layer of the models, f32. */
  readonly matmulGflops: number;
  /** Side of the square matrices of that product. */
  readonly matmulSize: number;
  /** Bytes read plus bytes written by a copy kernel, in 10^9 per second. */
  readonly copyGBs: number;
  /** Microseconds per dispatch in a pass of many tiny ones. */
  readonly dispatchMicros: number;
  /** Milliseconds from submitting a tiny copy to holding its bytes. */
  readonly readbackMillis: number;
}

const TINY_DISPATCHES = 500;
const READBACKS = 21;

/** Measures with the programs that training runs. Errors of the device show in `gpu.assertHealthy`. */
async function measure(gpu: GpuContext): Promise<Measured> {
  const roof = await measureRoofline(gpu);
  const matmulSize = gpu.profile.isSoftware ? 512 : 2048;
  const matmulSeconds = await matmul(gpu, matmulSize);
  return {
    fmaGflops: roof.gflops,
    matmulGflops: (2 * matmulSize ** 3) / matmulSeconds / 1e9,
    matmulSize,
    copyGBs: roof.gbs,
    dispatchMicros: (await tinyDispatches(gpu)) * 1e6,
    readbackMillis: await readback(gpu),
  };
}

async function matmul(gpu: GpuContext, size: number): Promise<number> {
  const views = {
    x: gpu.allocator.storage("doctor: x", size * size * 4),
    weight: gpu.allocator.storage("doctor: weight", size * size * 4),
    y: gpu.allocator.storage("doctor: y", size * size * 4),
  };
  const { median } = await secondsEach(gpu, () => linear(gpu, views, { rows: size, outer: size, inner: size }));
  for (const view of Object.values(views)) gpu.allocator.destroy(view);
  return median;
}

/** Seconds of one dispatch that does almost nothing. */
async function tinyDispatches(gpu: GpuContext): Promise<number> {
  const views = { gateUp: gpu.allocator.storage("doctor: in", 32), y: gpu.allocator.storage("doctor: out", 16) };
  const { median } = await secondsEach(gpu, () => {
    for (let i = 0; i < TINY_DISPATCHES; i++) swiglu(gpu, views, { rows: 1, width: 4 });
  });
  for (const view of Object.values(views)) gpu.allocator.destroy(view);
  return median / TINY_DISPATCHES;
}

async function readback(gpu: GpuContext): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < READBACKS; i++) {
    const begun = performance.now();
    await gpu.readback.read(gpu.empty, 16);
    times.push(performance.now() - begun);
  }
  return median(times);
}
