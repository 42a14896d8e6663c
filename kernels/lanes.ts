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
 * Lanes of the subgroup that shares its loads, which is a workgroup then; undefined where each lane loads for itself.
 * On software adapters a lane's load costs the same whether or not the lanes read one place, so one load that brings a
 * different row to each of 8 lanes replaces 8 loads. Hardware serves such reads from its cache.
 */
export function sharingLanes(profile: DeviceProfile): number | undefined {
  const { isSoftware, hasSubgroups, subgroupMinSize, subgroupMaxSize } = profile;
  const isKnown = subgroupMinSize === subgroupMaxSize && (subgroupMinSize === 4 || subgroupMinSize === 8);
  return isSoftware && hasSubgroups && isKnown ? subgroupMinSize : undefined;
}

/** Lanes of a workgroup of the register-tiled linear programs in which each lane loads for itself. */
export const TILE_LANES = 8;
