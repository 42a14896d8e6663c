/**
 * A context without a device: whatever is allocated in it is only counted. A memory plan builds the classes that a run
 * builds, so that it knows no sizes of its own. Nothing can be computed here.
 */
import { createContext, type GpuContext } from "./context";
import type { OpenDevice } from "./device";
import type { DeviceLimits, DeviceProfile } from "./profile";

/** @param limits those of the device that is planned for */
export function countingContext(limits: DeviceLimits): GpuContext {
  // The few methods that constructors call, over nothing.
  const device = {
    createBuffer: ({ label, size }: GPUBufferDescriptor) => ({ label, size, destroy() {} }),
    queue: { writeBuffer() {} },
  };
  const opened: OpenDevice = {
    device: device as unknown as GPUDevice,
    profile: { ...COUNTING, limits },
    failure: { error: undefined, assertHealthy() {}, onFailure: () => () => {} },
  };
  return createContext(opened);
}

const COUNTING: Omit<DeviceProfile, "limits"> = {
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
  linearTile: "workgroup",
};
