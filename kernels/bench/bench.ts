/** Microbenchmarks (`zerotir bench kernels`): every op's time against the roofline of the adapter it runs on. */

import { UserError } from "../../src/base/errors";
import { must } from "../../src/base/must";
import type { GpuContext } from "../../src/gpu/context";
import { GpuTimer } from "../../src/gpu/timer";
import type { KernelCase } from "../cases/case";
import { type CaseBuffers, caseBuffers, columnErrors } from "../cases/case_buffers";
import { Random } from "../cases/inputs";
import { OPS } from "../ops";
import { Tensor } from "../tensor";
import { gpuJsMatmul } from "./gpu-js";
import { measureRoofline, type Roofline } from "./roofline";
import { secondsEach } from "./timing";

/** References run on the CPU in f64: cases of more operations than this are timed and not checked. */
const CHECKED_FLOPS = 2e7;
/** Software adapters would take minutes over cases of more operations than this: they are left out there. */
const SOFTWARE_FLOPS = 1e10;
const GPU_JS_SIZE = 512;
const GPU_PASS_SECONDS = 0.02;

/** One measured case. */
export interface BenchRow {
  readonly name: string;
  /** Median seconds of one call, with recording and submitting. */
  readonly seconds: number;
  /** Seconds of one call by the GPU's own clock; null on a device without timestamps. */
  readonly gpuSeconds: number | null;
  readonly gflops: number;
  readonly gbs: number;
  /** The time that the roofline allows over the measured time; null where no roof applies. */
  readonly roofline: number | null;
  readonly dispatches: number;
  /** Largest relative error of an output against the f64 reference; null where the case is too large to check. */
  readonly error: number | null;
}

export interface BenchOptions {
  /** A part of the names of the cases to run. */
  readonly filter?: string | undefined;
  /** JSON lines in place of a table. */
  readonly json?: boolean | undefined;
}

export interface BenchIo {
  /** A line of the result. */
  out(line: string): void;
  /** A remark that is no part of the result. */
  log(line: string): void;
}

/**
 * Measures every case whose name holds `filter`, prints a row for each, and returns them.
 * @throws UserError when no case has such a name
 * @throws Error when a case's result is wrong: a fast wrong kernel is no result
 */
export async function benchKernels(options: BenchOptions, gpu: GpuContext, io: BenchIo): Promise<BenchRow[]> {
  const all = OPS.flatMap((op) => op.timed).filter(({ flops }) => !gpu.profile.isSoftware || flops <= SOFTWARE_FLOPS);
  const filter = options.filter ?? "";
  const chosen = all.filter(({ name }) => name.includes(filter));
  const firstWords = [...new Set(all.map(({ name }) => name.split(" ")[0]))];
  const baseline = `gpu.js matmul ${GPU_JS_SIZE}`;
  if (chosen.length === 0 && !baseline.includes(filter))
    throw new UserError(`No kernel case has "${filter}" in its name. Names begin with: ${firstWords.join(", ")}.`);
  const roof = await measureRoofline(gpu);
  const { adapterName, driver, toggles } = gpu.profile;
  if (options.json)
    io.out(
      JSON.stringify({ adapter: adapterName, driver, toggles, rooflineGflops: roof.gflops, rooflineGbs: roof.gbs }),
    );
  else {
    io.out(`${driver || adapterName}, ${toggles}: ${roof.gflops.toFixed(1)} GFLOP/s, ${roof.gbs.toFixed(1)} GB/s`);
    io.out(tableLine(["case", "time", "GFLOP/s", "GB/s", "roofline", "dispatches", "error"]));
  }
  const rows: BenchRow[] = [];
  const show = (row: BenchRow) => {
    rows.push(row);
    io.out(options.json ? JSON.stringify(row) : tableLine(cells(row)));
  };
  const timer = GpuTimer.create(gpu);
  for (const kernelCase of chosen) show(await measure(gpu, timer, kernelCase, roof));
  timer?.destroy();
  if (baseline.includes(filter)) {
    const measured = await gpuJsMatmul(GPU_JS_SIZE);
    if (measured === undefined) io.log("gpu.js is not installed (npm i gpu.js): its baseline row is left out");
    else {
      const { seconds, mode } = measured;
      const gflops = (2 * GPU_JS_SIZE ** 3) / seconds / 1e9;
      const gbs = (3 * 4 * GPU_JS_SIZE ** 2) / seconds / 1e9;
      show({
        name: `${baseline} (${mode})`,
        seconds,
        gpuSeconds: null,
        gflops,
        gbs,
        roofline: null,
        dispatches: 0,
        error: null,
      });
    }
  }
  return rows;
}

async function measure(
  gpu: GpuContext,
  timer: GpuTimer | undefined,
  kernelCase: KernelCase,
  roof: Roofline,
): Promise<BenchRow> {
  const inputs = kernelCase.inputs(new Random(kernelCase.name));
  const buffers = caseBuffers(gpu, kernelCase, inputs);
  const run = () => kernelCase.run(gpu, buffers.views);
  const before = gpu.recorder.counters.dispatches;
  run();
  const dispatches = gpu.recorder.counters.dispatches - before;
  const error =
    kernelCase.flops <= CHECKED_FLOPS ? await errorOf(gpu, kernelCase, buffers, kernelCase.expected(inputs)) : null;
  const { median: seconds } = await secondsEach(gpu, run);
  const gpuSeconds = timer === undefined ? null : await gpuSecondsEach(timer, seconds, run);
  buffers.destroy();
  const allowed = Math.max(kernelCase.flops / roof.gflops, kernelCase.bytes / roof.gbs) / 1e9;
  return {
    name: kernelCase.name,
    seconds,
    gpuSeconds,
    gflops: kernelCase.flops / seconds / 1e9,
    gbs: kernelCase.bytes / seconds / 1e9,
    roofline: allowed / seconds,
    dispatches,
    error,
  };
}

/** Enough calls in one pass that the rounding of timestamps (up to 0.07 ms at either end) does not show. */
async function gpuSecondsEach(timer: GpuTimer, seconds: number, record: () => void): Promise<number> {
  const times = Math.min(500, Math.max(1, Math.ceil(GPU_PASS_SECONDS / seconds)));
  const milliseconds = await timer.milliseconds(() => {
    for (let i = 0; i < times; i++) record();
  });
  return milliseconds / 1000 / times;
}

/**
 * The largest relative error over the outputs that the case expects.
 * @throws Error where it is above the case's tolerance, or an integer differs
 */
async function errorOf(
  gpu: GpuContext,
  kernelCase: KernelCase,
  { views }: CaseBuffers,
  expected: ReturnType<KernelCase["expected"]>,
): Promise<number> {
  let worst = 0;
  for (const [name, want] of Object.entries(expected)) {
    const view = must(views[name], `the buffer of ${name}`);
    if (want instanceof Tensor) {
      const got = await gpu.readback.readFloats(view, want.data.length);
      worst = Math.max(worst, ...columnErrors(kernelCase, name, got, want));
    } else if (want !== undefined) {
      const got = await gpu.readback.readUints(view, want.length);
      const wrong = want.findIndex((value, i) => value !== got[i]);
      if (wrong >= 0) throw new Error(`${kernelCase.name}: ${name}[${wrong}] is ${got[wrong]}, not ${want[wrong]}`);
    }
  }
  if (!(worst <= kernelCase.tolerance))
    throw new Error(`${kernelCase.name}: relative error ${worst}, at most ${kernelCase.tolerance} is allowed`);
  return worst;
}

function cells(row: BenchRow): string[] {
  return [
    row.name,
    row.seconds < 1e-3 ? `${(row.seconds * 1e6).toFixed(0)} us` : `${(row.seconds * 1e3).toFixed(2)} ms`,
    row.gflops.toFixed(2),
    row.gbs.toFixed(2),
    row.roofline === null ? "" : `${(row.roofline * 100).toFixed(0)}%`,
    String(row.dispatches),
    row.error === null ? "" : row.error.toExponential(0),
  ];
}

const WIDTHS = [-72, 9, 8, 8, 8, 10, 7];

function tableLine(texts: readonly string[]): string {
  return texts
    .map((text, column) => {
      const width = WIDTHS[column] ?? 8;
      return width < 0 ? text.padEnd(-width) : text.padStart(width);
    })
    .join(" ")
    .trimEnd();
}
