import { reasonOf } from "../base/errors";
import { GpuError, type GpuErrorKind } from "./errors";
import { type DeviceProfile, profileOf, SUBGROUP_MATRIX, type Toggles } from "./profile";

export type { DeviceProfile, Toggles } from "./profile";

/**
 * Where a device's errors end up. WebGPU reports them late and goes on with stale data or zeros, so a run asks here
 * before it trusts a result, and ends when a callback fires.
 */
export interface DeviceFailure {
  /** The first error the device reported; undefined while it is healthy. */
  readonly error: GpuError | undefined;
  /** @throws the first {@link GpuError} the device reported, if any. */
  assertHealthy(): void;
  /**
   * Calls back once, with the first error (at once when there is one already). Returns a function that takes the
   * callback off.
   */
  onFailure(callback: (error: GpuError) => void): () => void;
}

/** An open device with its description and its error state. */
export interface OpenDevice {
  readonly device: GPUDevice;
  readonly profile: DeviceProfile;
  readonly failure: DeviceFailure;
}

const WANTED_FEATURES = ["shader-f16", "subgroups", "timestamp-query", SUBGROUP_MATRIX];

/** Limits asked for at the adapter's maximum: a device gets the lowest tier of each one that is not asked for. */
const WANTED_LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxUniformBufferBindingSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBuffersPerShaderStage",
  "maxImmediateSize",
] as const;

class FailureState implements DeviceFailure {
  #error: GpuError | undefined;
  readonly #callbacks = new Set<(error: GpuError) => void>();

  get error(): GpuError | undefined {
    return this.#error;
  }

  assertHealthy(): void {
    if (this.#error) throw this.#error;
  }

  onFailure(callback: (error: GpuError) => void): () => void {
    if (this.#error) callback(this.#error);
    else this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  report(error: GpuError): void {
    if (this.#error) return;
    this.#error = error;
    const callbacks = [...this.#callbacks];
    this.#callbacks.clear();
    for (const callback of callbacks) callback(error);
  }
}

function kindOf(error: GPUError): GpuErrorKind {
  // By name: a Node process has the classes as globals only after they were installed there.
  const name = error.constructor.name;
  if (name === "GPUOutOfMemoryError") return "out-of-memory";
  return name === "GPUInternalError" ? "internal" : "validation";
}

/**
 * Opens a device on `adapter` with every optional feature and the largest limits that this project uses. An adapter can
 * be opened once only.
 *
 * @param adapter from the platform's adapter choice (src/platform).
 * @param toggles which profile the adapter was requested under; recorded, not applied: Dawn takes toggles at instance
 * creation.
 * @throws GpuError when the adapter refuses the device.
 */
export async function openDevice(adapter: GPUAdapter, toggles: Toggles): Promise<OpenDevice> {
  const available: ReadonlySet<string> = adapter.features;
  const requiredFeatures = WANTED_FEATURES.filter((name) => available.has(name)) as GPUFeatureName[];
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) {
    // Browsers know fewer limits than Dawn in Node; one that is missing must not be asked for.
    const value: number | undefined = adapter.limits[name];
    if (value !== undefined) requiredLimits[name] = value;
  }
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: "zerotir", requiredFeatures, requiredLimits });
  } catch (cause) {
    const why = reasonOf(cause);
    throw new GpuError("internal", `The adapter ${adapter.info.description} refused to open a device: ${why}`);
  }
  const failure = new FailureState();
  device.onuncapturederror = ({ error }) => failure.report(new GpuError(kindOf(error), `GPU error: ${error.message}`));
  void device.lost.then(({ reason, message }) => {
    if (reason !== "destroyed") failure.report(new GpuError("device-lost", `The GPU device was lost: ${message}`));
  });
  return { device, profile: profileOf(adapter, device, toggles), failure };
}
