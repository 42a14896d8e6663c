import { checkExactness } from "../diagnostics/exactness";
import { createContext } from "../gpu/context";
import type { DeviceProfile, OpenDevice, Toggles } from "../gpu/device";
import { closeNodeDevice, openNodeDevice } from "../platform/node/adapter";
import { type Measured, measure } from "./doctor-measure";

export interface DoctorOptions {
  /** One JSON object on standard output and nothing else there. */
  readonly json?: boolean | undefined;
  readonly adapter?: string | undefined;
  readonly toggles?: Toggles | undefined;
}

/** Where the report goes. */
export interface DoctorOutput {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toLocaleString("en", { maximumFractionDigits: 0 })} MiB`;
const figure = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 3 });

function describe(profile: DeviceProfile): string[] {
  const { limits } = profile;
  const features = [
    profile.hasF16 ? "shader-f16" : "no shader-f16",
    profile.hasSubgroups ? "subgroups" : "no subgroups",
    profile.hasTimestamps ? "timestamp-query" : "no timestamp-query",
  ];
  const matrices = profile.subgroupMatrixConfigs.map(
    ({ M, N, K, componentType, resultComponentType }) => `${M}x${N}x${K} ${componentType} -> ${resultComponentType}`,
  );
  const { subgroupMinSize: low, subgroupMaxSize: high } = profile;
  return [
    `adapter           ${profile.adapterName} (${profile.isSoftware ? "software: computes on the CPU" : "hardware"})`,
    `vendor            ${[profile.vendor, profile.architecture].filter(Boolean).join(", ") || "not told"}`,
    `driver            ${profile.driver || "not told"}`,
    `features          ${features.join(", ")}`,
    `subgroup size     ${low === high ? low : `${low} to ${high}`}`,
    `subgroup matrices ${matrices.join(", ") || "none"}`,
    `toggles           ${profile.toggles}`,
    `kernel variants   ${profile.linearTile} tiles, ${profile.rowLanes} lane${profile.rowLanes === 1 ? "" : "s"} per row`,
    `largest binding   ${mebibytes(limits.maxStorageBufferBindingSize)}, largest buffer ${mebibytes(limits.maxBufferSize)}`,
    `workgroup         ${limits.maxComputeInvocationsPerWorkgroup} invocations, ${limits.maxComputeWorkgroupStorageSize / 1024} KiB, ` +
      `${limits.maxComputeWorkgroupsPerDimension} groups per dimension`,
    `bindings          ${limits.maxStorageBuffersPerShaderStage} storage buffers per stage, offsets aligned to ${limits.minStorageBufferOffsetAlignment} bytes`,
  ];
}

function describeMeasured(measured: Measured): string[] {
  return [
    `f32 multiply-add  ${figure(measured.fmaGflops)} GFLOP/s`,
    `f32 matmul        ${figure(measured.matmulGflops)} GFLOP/s at ${measured.matmulSize}^3`,
    `copy              ${figure(measured.copyGBs)} GB/s (read + write)`,
    `dispatch          ${figure(measured.dispatchMicros)} us each`,
    `readback          ${figure(measured.readbackMillis)} ms`,
  ];
}

/**
 * `zerotir doctor`: says which adapter a run would use, what it can do, how fast it is, and what to do when there is none.
 * @returns the exit code: 0, or 1 when there is no adapter, the device fails, or exactness does not hold.
 */
export async function doctor(options: DoctorOptions, io: DoctorOutput): Promise<number> {
  let fallback: string | undefined;
  let opened: OpenDevice | undefined;
  try {
    opened = await openNodeDevice({
      adapter: options.adapter,
      toggles: options.toggles,
      announce: (line) => {
        fallback = line;
        io.err(line);
      },
    });
    if (!options.json) for (const line of describe(opened.profile)) io.out(line);
    const gpu = createContext(opened);
    const measured = await measure(gpu);
    if (!options.json) for (const line of describeMeasured(measured)) io.out(line);
    const { tokens, unequal } = await checkExactness(gpu);
    const exact = unequal === 0;
    gpu.assertHealthy();
    if (options.json)
      io.out(
        JSON.stringify({
          ok: exact,
          profile: opened.profile,
          fallback: fallback ?? null,
          measured,
          exactness: { exact, tokens, unequal },
        }),
      );
    else
      io.out(
        `exactness         ${exact ? "holds" : "BROKEN"}: ${unequal} of ${tokens} sampled log-probs differ from training's`,
      );
    return exact ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Error) || (error.name !== "UserError" && error.name !== "GpuError")) throw error;
    if (options.json) io.out(JSON.stringify({ ok: false, error: error.message }));
    io.err(error.message);
    return 1;
  } finally {
    if (opened) closeNodeDevice(opened);
  }
}
