/** What a case would record on a device, without one. */
import type { KernelCase } from "../../kernels/cases/case";
import type { GpuContext } from "../../src/gpu/context";
import type { DeviceProfile } from "../../src/gpu/profile";

type Choices = Pick<DeviceProfile, "isSoftware" | "rowLanes" | "tiles"> & Partial<DeviceProfile>;

/** What kernels choose by on hardware adapters: a workgroup per row, tiles in workgroup memory. */
export const HARDWARE = { isSoftware: false, rowLanes: 64, tiles: "workgroup" } as const;
/** On software adapters without subgroups: each lane loads for itself. */
export const ALONE = { isSoftware: true, rowLanes: 1, tiles: "register", hasSubgroups: false } as const;

const subgroups = (size: number) => ({ hasSubgroups: true, subgroupMinSize: size, subgroupMaxSize: size });

/** Every kind of profile that a kernel has a variant for; subgroups are of 8 on lavapipe, of 4 on SwiftShader. */
export const PROFILES = {
  hardware: { ...HARDWARE, ...subgroups(32) },
  alone: ALONE,
  lavapipe: { ...ALONE, ...subgroups(8) },
  swiftShader: { ...ALONE, ...subgroups(4) },
} satisfies Record<string, Choices>;

export interface Dispatch {
  /** The file in shaders/, without its ending. */
  readonly shader: string;
  /** The program's variant with its constants. */
  readonly variant: string;
  readonly grid: string;
  /** Storage buffers it binds. */
  readonly bindings: number;
}

/** The dispatches of a case on a device of this profile; empty ones are left out. */
export function dispatchesOf(profile: Choices, kernelCase: KernelCase): Dispatch[] {
  const dispatches: Dispatch[] = [];
  // Recording takes no more of a context than this.
  const gpu = {
    // The least that WebGPU promises.
    profile: { limits: { maxComputeInvocationsPerWorkgroup: 256 }, ...profile },
    empty: {},
    pipelines: { get: (label: string) => ({ label }) },
    recorder: {
      dispatch({ label }: { label: string }, views: readonly unknown[], _: Uint8Array, grid: readonly number[]) {
        if (grid.includes(0)) return;
        const shader = label.replace(/[^\w].*/, "");
        dispatches.push({ shader, variant: label, grid: grid.join(" x "), bindings: views.length });
      },
    },
  } as unknown as GpuContext;
  kernelCase.run(gpu, {});
  return dispatches;
}
