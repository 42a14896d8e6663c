/**
 * Tiles of attention for hardware: which rows share the keys and values, or the queries, that a workgroup stages. Tiles
 * are entries of the table of rows, behind the rows themselves, so that they need no binding of their own.
 */
import { at } from "../src/base/must";

/** Most rows of a query tile, whose keys and values are read once for all their heads. */
export const QUERY_TILE_ROWS = 16;
/** Most rows of a key tile, whose queries and upstream gradients are read once for all its keys. */
export const KEY_TILE_ROWS = 64;

/** Consecutive entries of the table of rows that are tiles. */
export interface TileRange {
  readonly begin: number;
  readonly count: number;
}

/** Tiles of a batch of rows. */
export interface AttentionTiles {
  /** Entries [first row, rows, slot, last position]. */
  readonly queries: TileRange;
  /** Whether every query tile is a single row: slots have one row, or little more. */
  readonly isDecode: boolean;
  /** Entries [first row, rows, slot, end of the sequence's rows]; none where the rows have no end. */
  readonly keys: TileRange;
}

/** Entries that the tiles of `rows` rows may take beside the rows. */
export function tileCapacity(rows: number): number {
  return 2 * rows;
}

/**
 * The table with its tiles behind it. A tile never spans two slots.
 * @param rows [count, 4]: slot, position, end of the sequence's rows (0 where there is no backward pass), 0
 */
export function withTiles(rows: Uint32Array): { table: Uint32Array; tiles: AttentionTiles } {
  const count = rows.length / 4;
  const runs: { first: number; rows: number }[] = [];
  for (let row = 0; row < count; row++) {
    const run = runs.at(-1);
    if (run !== undefined && continues(rows, row)) run.rows++;
    else runs.push({ first: row, rows: 1 });
  }
  const isDecode = runs.length * 2 > count;
  const queries = cut(runs, isDecode ? 1 : QUERY_TILE_ROWS);
  const keys = cut(
    runs.filter(({ first }) => at(rows, first * 4 + 2) > 0),
    KEY_TILE_ROWS,
  );
  const table = new Uint32Array((count + queries.length + keys.length) * 4);
  table.set(rows);
  queries.forEach((tile, i) => {
    const last = tile.first + tile.rows - 1;
    const entry = [tile.first, tile.rows, at(rows, tile.first * 4), at(rows, last * 4 + 1)];
    table.set(entry, (count + i) * 4);
  });
  keys.forEach((tile, i) => {
    const entry = [tile.first, tile.rows, at(rows, tile.first * 4), at(rows, tile.first * 4 + 2)];
    table.set(entry, (count + queries.length + i) * 4);
  });
  return {
    table,
    tiles: {
      queries: { begin: count, count: queries.length },
      isDecode,
      keys: { begin: count + queries.length, count: keys.length },
    },
  };
}

/** Whether a row is the next position of the slot of the row before it. */
function continues(rows: Uint32Array, row: number): boolean {
  return (
    at(rows, row * 4) === at(rows, row * 4 - 4) &&
    at(rows, row * 4 + 1) === at(rows, row * 4 - 3) + 1 &&
    at(rows, row * 4 + 2) === at(rows, row * 4 - 2)
  );
}

function cut(runs: readonly { first: number; rows: number }[], most: number): { first: number; rows: number }[] {
  return runs.flatMap(({ first, rows }) =>
    Array.from({ length: Math.ceil(rows / most) }, (_, i) => ({
      first: first + i * most,
      rows: Math.min(most, rows - i * most),
    })),
  );
}
