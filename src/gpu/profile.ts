/**
 * What a device can do, as plain data. Kernels choose their variants from these fields alone, never from an adapter's
 * name.
 */

/** `safe` keeps Dawn's checks; `fast` leaves out bounds clamping, workgroup zeroing and API validation. */
export type Toggles = "safe" | "fast";

/** One shape of subgroup matrix (M x K times K x N) that the hardware multiplies, with its component types. */
export interface SubgroupMatrixConfig {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** Type of the two factors, for example `f16`. */
  readonly componentType: string;
  /** Type of the accumulator and result, for example `f32`. */
  readonly resultComponentType: string;
}

/** The device limits that kernels and memory plans depend on. Sizes in bytes. */
export interface DeviceLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly minStorageBufferOffsetAlignment: number;
}

/** Identity, features, limits and preferred kernel shapes of one device. */
export interface DeviceProfile {
  readonly adapterName: string;
  readonly vendor: string;
  readonly architecture: string;
  /** Driver name and version as the adapter describes itself; empty where a browser hides it. */
  readonly driver: string;
  /** The adapter computes on the CPU (lavapipe, SwiftShader). */
  readonly isSoftware: boolean;
  /** The implementation calls it a fallback adapter. */
  readonly isFallback: boolean;
  readonly hasF16: boolean;
  readonly hasSubgroups: boolean;
  /** Subgroup size range; WebGPU's outer bounds 4 and 128 where the adapter does not say. */
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  /** Empty when the device has no subgroup matrices. */
  readonly subgroupMatrixConfigs: readonly SubgroupMatrixConfig[];
  readonly hasTimestamps: boolean;
  readonly limits: DeviceLimits;
  readonly toggles: Toggles;
  /**
   * Lanes that share one row's reduction: 1 on software adapters, where each barrier costs more than it saves; else 64.
   */
  readonly rowLanes: number;
  /**
   * Tiles of linear layers and attention: registers alone (no barriers) on software adapters, else staged in workgroup
   * memory.
   */
  readonly tiles: "register" | "workgroup";
}

/** Dawn's name for tensor-core matrices; not in the standard list of features. */
export const SUBGROUP_MATRIX = "chromium-experimental-subgroup-matrix";

function matrixConfigs(info: GPUAdapterInfo): SubgroupMatrixConfig[] {
  if (!("subgroupMatrixConfigs" in info) || !Array.isArray(info.subgroupMatrixConfigs)) return [];
  const items: unknown[] = info.subgroupMatrixConfigs;
  return items.flatMap((item) => {
    if (typeof item !== "object" || item === null) return [];
    const { M, N, K, componentType, resultComponentType } = item as Partial<
      Record<keyof SubgroupMatrixConfig, unknown>
    >;
    if (typeof M !== "number" || typeof N !== "number" || typeof K !== "number") return [];
    return [{ M, N, K, componentType: String(componentType), resultComponentType: String(resultComponentType) }];
  });
}

/** Whether the implementation calls the adapter a fallback; older browsers say so on the adapter itself. */
export function isFallbackAdapter(adapter: GPUAdapter): boolean {
  if (adapter.info.isFallbackAdapter) return true;
  return "isFallbackAdapter" in adapter && adapter.isFallbackAdapter === true;
}

/** Whether the adapter computes on the CPU: a fallback adapter, or one whose info gives its type as CPU. */
export function isSoftwareAdapter(adapter: GPUAdapter): boolean {
  if (isFallbackAdapter(adapter)) return true;
  const { info } = adapter;
  return "type" in info && String(info.type).toLowerCase() === "cpu";
}

/** Builds the profile of `device`, which was opened on `adapter` under the given toggles. */
export function profileOf(adapter: GPUAdapter, device: GPUDevice, toggles: Toggles): DeviceProfile {
  const { info } = adapter;
  const software = isSoftwareAdapter(adapter);
  const name = info.device.replace(/-+$/, "") || info.description || info.vendor || "unnamed adapter";
  const features: ReadonlySet<string> = device.features;
  return {
    adapterName: name,
    vendor: info.vendor,
    architecture: info.architecture,
    driver: info.description,
    isSoftware: software,
    isFallback: isFallbackAdapter(adapter),
    hasF16: features.has("shader-f16"),
    hasSubgroups: features.has("subgroups"),
    subgroupMinSize: info.subgroupMinSize || 4,
    subgroupMaxSize: info.subgroupMaxSize || 128,
    subgroupMatrixConfigs: features.has(SUBGROUP_MATRIX) ? matrixConfigs(info) : [],
    hasTimestamps: features.has("timestamp-query"),
    limits: {
      maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
      maxBufferSize: device.limits.maxBufferSize,
      maxComputeInvocationsPerWorkgroup: device.limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupStorageSize: device.limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: device.limits.maxComputeWorkgroupsPerDimension,
      maxStorageBuffersPerShaderStage: device.limits.maxStorageBuffersPerShaderStage,
      minStorageBufferOffsetAlignment: device.limits.minStorageBufferOffsetAlignment,
    },
    toggles,
    rowLanes: software ? 1 : 64,
    tiles: software ? "register" : "workgroup",
  };
}
