import { UserError } from "../../base/errors";
import { type OpenDevice, openDevice } from "../../gpu/device";
import { isSoftwareAdapter } from "../../gpu/profile";

/**
 * The browser's adapter, in a page or a worker. A page may ask before it starts anything, to say at once when there is
 * none.
 *
 * @throws UserError when the browser has no WebGPU, or no adapter for it: what to change.
 */
export async function requestBrowserAdapter(): Promise<GPUAdapter> {
  // The types promise navigator.gpu; a browser without WebGPU, or a page without https, breaks that promise.
  const gpu: GPU | undefined = navigator.gpu;
  if (!gpu) {
    throw new UserError(
      globalThis.isSecureContext
        ? "This browser has no WebGPU. Use a current Chrome, Edge, Safari or Firefox."
        : "WebGPU is closed to this page because its address is not secure. Open it by https or from localhost.",
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new UserError(
      "The browser has WebGPU but no adapter for it. Switch on hardware acceleration in its settings; " +
        "in Chrome on Linux also set chrome://flags/#enable-unsafe-webgpu and #enable-vulkan. " +
        "chrome://gpu tells the reason.",
    );
  }
  return adapter;
}

/**
 * Opens a device on the browser's adapter, in a page or a worker. The browser chooses it; Dawn's toggles are the
 * browser's own, so the profile is `safe`.
 *
 * @param options.announce is given one line when the adapter computes on the CPU.
 * @throws UserError when the browser has no WebGPU, or no adapter for it: what to change.
 */
export async function openBrowserDevice(options: { readonly announce: (line: string) => void }): Promise<OpenDevice> {
  const adapter = await requestBrowserAdapter();
  const opened = await openDevice(adapter, "safe");
  if (isSoftwareAdapter(adapter))
    options.announce(
      `No hardware GPU found: computing on the CPU with ${opened.profile.driver || "the browser's software adapter"}.`,
    );
  return opened;
}
