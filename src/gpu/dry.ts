/**
 * A context without a GPU: everything can be recorded in it and nothing is computed. Buffers are counted and hold
 * nothing, readbacks give zeros, and the pipelines that were asked for stay as texts. So a memory plan builds the
 * classes that a run builds and knows no sizes of its own, and the pipelines of a run are known before it.
 */
import { createContext, type GpuContext } from "./context";
import type { OpenDevice } from "./device";
import type { DeviceLimits, DeviceProfile } from "./profile";

/** @param profile of the device that is planned for: kernels choose their variants by it */
export function dryContext(profile: DeviceProfile): GpuContext {
  const opened: OpenDevice = {
    device: DEVICE as unknown as GPUDevice,
    profile,
    failure: { error: undefined, assertHealthy() {}, onFailure: () => () => {} },
  };
  return createContext(opened);
}

/** The profile of a hardware adapter of which only the limits are known. */
export function plannedProfile(limits: DeviceLimits): DeviceProfile {
  return { ...PLANNED, limits };
}

/** Limits of a desktop GPU. */
export const DESKTOP_LIMITS: DeviceLimits = {
  maxStorageBufferBindingSize: 2 ** 31,
  maxBufferSize: 2 ** 31,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupStorageSize: 32768,
  maxComputeWorkgroupsPerDimension: 65535,
  maxStorageBuffersPerShaderStage: 8,
  minStorageBufferOffsetAlignment: 256,
};

/** The few methods that are called, over nothing. */
const PASS = { setPipeline() {}, setBindGroup() {}, dispatchWorkgroups() {}, end() {} };
const ENCODER = {
  beginComputePass: () => PASS,
  copyBufferToBuffer() {},
  clearBuffer() {},
  finish: () => ({}),
};
const DEVICE = {
  createBuffer: ({ label, size }: GPUBufferDescriptor) => ({
    label,
    size,
    destroy() {},
    mapAsync: () => Promise.resolve(),
    getMappedRange: (_: number, bytes: number) => new ArrayBuffer(bytes),
    unmap() {},
  }),
  createBindGroupLayout: () => ({}),
  createPipelineLayout: () => ({}),
  createShaderModule: () => ({}),
  createComputePipeline: () => ({}),
  createBindGroup: () => ({}),
  createCommandEncoder: () => ENCODER,
  queue: { writeBuffer() {}, submit() {} },
};

const PLANNED: Omit<DeviceProfile, "limits"> = {
  adapterName: "none",
  vendor: "",
  architecture: "",
  driver: "",
  isSoftware: false,
  isFallback: false,
  hasF16: false,
  hasSubgroups: false,
  subgroupMinSize: 4,
  subgroupMaxSize: 128,
  subgroupMatrixConfigs: [],
  hasTimestamps: false,
  toggles: "safe",
  rowLanes: 64,
  tiles: "workgroup",
};
