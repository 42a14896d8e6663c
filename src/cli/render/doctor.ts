import type { DoctorReport, Exactness, Measured } from "../../run/doctor";

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toLocaleString("en", { maximumFractionDigits: 0 })} MiB`;
const figure = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 3 });

export function profileLines(profile: DoctorReport["profile"]): string[] {
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
    `kernel variants   ${profile.tiles} tiles, ${profile.rowLanes} lane${profile.rowLanes === 1 ? "" : "s"} per row`,
    `largest binding   ${mebibytes(limits.maxStorageBufferBindingSize)}, largest buffer ${mebibytes(limits.maxBufferSize)}`,
    `workgroup         ${limits.maxComputeInvocationsPerWorkgroup} invocations, ${limits.maxComputeWorkgroupStorageSize / 1024} KiB, ` +
      `${limits.maxComputeWorkgroupsPerDimension} groups per dimension`,
    `bindings          ${limits.maxStorageBuffersPerShaderStage} storage buffers per stage, offsets aligned to ${limits.minStorageBufferOffsetAlignment} bytes`,
  ];
}

export function measuredLines(measured: Measured): string[] {
  return [
    `f32 multiply-add  ${figure(measured.fmaGflops)} GFLOP/s`,
    `f32 matmul        ${figure(measured.matmulGflops)} GFLOP/s at ${measured.matmulSize}^3`,
    `copy              ${figure(measured.copyGBs)} GB/s (read + write)`,
    `dispatch          ${figure(measured.dispatchMicros)} us each`,
    `readback          ${figure(measured.readbackMillis)} ms`,
  ];
}

export function exactnessLine({ exact, tokens, unequal }: Exactness): string {
  return `exactness         ${exact ? "holds" : "BROKEN"}: ${unequal} of ${tokens} sampled log-probs differ from training's`;
}
