/** Lanes of a workgroup, by the device profile: how many share a row, and whether they share loads. */
import type { DeviceProfile } from "../src/gpu/profile";
import type { Grid } from "../src/gpu/recorder";
import { type Constants, linearGrid } from "./program";

/**
 * Constants of programs that include row_reduce: on software adapters one invocation per row, eight rows to a
 * workgroup; else a workgroup per row.
 */
export function rowReduceConstants(profile: DeviceProfile): Constants {
  return { ROW_LANES: profile.rowLanes, ROWS_PER_GROUP: rowsPerGroup(profile) };
}

/** The grid of a row-reducing program over `rows` rows. */
export function rowGrid(profile: DeviceProfile, rows: number): Grid {
  return linearGrid(Math.ceil(rows / rowsPerGroup(profile)));
}

function rowsPerGroup(profile: DeviceProfile): number {
  return profile.rowLanes === 1 ? 8 : 1;
}

/**
 * Whether the linear programs share loads through the subgroup: on software adapters each lane's load costs the same
 * whether or not the lanes read one place, so one load that brings a different row to each of 8 lanes replaces 8 loads.
 * Hardware serves such reads from its cache.
 */
export function sharesLoads(profile: DeviceProfile): boolean {
  return (
    profile.isSoftware &&
    profile.hasSubgroups &&
    profile.subgroupMinSize === TILE_LANES &&
    profile.subgroupMaxSize === TILE_LANES
  );
}

/**
 * Lanes of a workgroup of the register-tiled linear programs, and of the subgroup that it fills where loads are shared.
 */
export const TILE_LANES = 8;
