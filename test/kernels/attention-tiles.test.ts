import { expect, test } from "vitest";
import { KEY_TILE_ROWS, QUERY_TILE_ROWS, tileCapacity, withTiles } from "../../kernels/attention_tiles";
import { rowTable, type Span, wholeSequences } from "../../kernels/cases/rows";

function tilesOf(spans: readonly Span[]) {
  const rows = rowTable(spans);
  const { table, tiles } = withTiles(rows);
  expect(table.subarray(0, rows.length)).toEqual(rows);
  expect(table.length / 4 - rows.length / 4).toBeLessThanOrEqual(tileCapacity(rows.length / 4));
  const entries = ({ begin, count }: { begin: number; count: number }) =>
    Array.from({ length: count }, (_, i) => [...table.subarray((begin + i) * 4, (begin + i + 1) * 4)]);
  return { queries: entries(tiles.queries), keys: entries(tiles.keys), isDecode: tiles.isDecode };
}

test("tiles of whole sequences hold at most so many rows and end with their sequence", () => {
  const { queries, keys, isDecode } = tilesOf(wholeSequences(QUERY_TILE_ROWS + 1, KEY_TILE_ROWS + 2));
  expect(isDecode).toBe(false);
  // First row, rows, slot, last position.
  expect(queries.slice(0, 3)).toEqual([
    [0, 16, 0, 15],
    [16, 1, 0, 16],
    [17, 16, 1, 15],
  ]);
  expect(queries.at(-1)).toEqual([81, 2, 1, 65]);
  // First row, rows, slot, end of the sequence's rows.
  expect(keys).toEqual([
    [0, 17, 0, 17],
    [17, 64, 1, 83],
    [81, 2, 1, 83],
  ]);
});

test("single rows are tiles of their own; so is each row of a batch with little else", () => {
  const single = [5, 9, 2].map((position, slot) => ({ slot, from: position, to: position + 1 }));
  expect(tilesOf(single)).toMatchObject({
    isDecode: true,
    queries: [
      [0, 1, 0, 5],
      [1, 1, 1, 9],
      [2, 1, 2, 2],
    ],
  });
  const mixed = tilesOf([...single, { slot: 3, from: 4, to: 6 }]);
  expect(mixed.isDecode).toBe(true);
  expect(mixed.queries.slice(3)).toEqual([
    [3, 1, 3, 4],
    [4, 1, 3, 5],
  ]);
});

test("a prompt beside single rows is cut into tiles, and no row makes none", () => {
  const { queries, isDecode } = tilesOf([
    { slot: 0, from: 7, to: 8 },
    { slot: 1, from: 0, to: 20 },
  ]);
  expect(isDecode).toBe(false);
  expect(queries).toEqual([
    [0, 1, 0, 7],
    [1, 16, 1, 15],
    [17, 4, 1, 19],
  ]);
  expect(tilesOf([])).toMatchObject({ queries: [], keys: [] });
});

test("rows without an end, of which nothing goes backward, have no key tiles", () => {
  const { tiles } = withTiles(Uint32Array.from([0, 3, 0, 0, 0, 4, 0, 0]));
  expect(tiles.keys.count).toBe(0);
});
