// The sums of a register tile of y = x W^T, over operands staged in workgroup memory (lib/register_tile).
// Order of sums: k in blocks of BLOCK, one chain of fused multiply-adds in each, blocks added in ascending order. In a
// tile for few rows PARTS groups of lanes take a block each at the same time, and the first adds up their sums in that
// order: the bits are those of a tile for many rows.
// The program says with `weight_row(column)` which row of the weight stands behind a column of the tile.
// include register_tile
const BLOCK = 256u;
var<workgroup> part_sums: array<vec4f, (PARTS - 1u) * LANES * ROWS * COLUMNS4 + 1u>;

fn sum_tile(totals: ptr<function, Sums>, first_row: u32, invocation: u32) {
  // Compilers do not see that a single part is number 0.
  let lane = select(invocation % LANES, invocation, PARTS == 1u);
  let part = select(invocation / LANES, 0u, PARTS == 1u);
  let x_place = part * DEPTH * TILE_ROWS4;
  let weight_place = part * DEPTH * TILE_COLUMNS4;
  let inner = params.inner4 * 4u;
  for (var round = 0u; round < inner; round += BLOCK * PARTS) {
    var sums: Sums;
    for (var r = 0u; r < ROWS; r++) {
      for (var c = 0u; c < COLUMNS4; c++) { sums[r][c] = vec4f(0.0); }
    }
    let steps = min(BLOCK, inner - round);
    for (var step = 0u; step < steps; step += DEPTH) {
      let k4 = (round + part * BLOCK + step) / 4u;
      workgroupBarrier();
      for (var i = lane; i < TILE_ROWS4 * DEPTH; i += LANES) {
        let row = i % (TILE_ROWS4 * 4u);
        let k = i / (TILE_ROWS4 * 4u);
        let at = min(first_row + row, params.rows - 1u) * params.inner4 + min(k4 + k, params.inner4 - 1u);
        let value = select(vec4f(0.0), x[at], k4 + k < params.inner4);
        let place = x_place + k * 4u * TILE_ROWS4 + row / 4u;
        row_tile[place][row % 4u] = value.x;
        row_tile[place + TILE_ROWS4][row % 4u] = value.y;
        row_tile[place + 2u * TILE_ROWS4][row % 4u] = value.z;
        row_tile[place + 3u * TILE_ROWS4][row % 4u] = value.w;
      }
      for (var i = lane; i < TILE_COLUMNS4 * DEPTH; i += LANES) {
        let column = i % (TILE_COLUMNS4 * 4u);
        let k = i / (TILE_COLUMNS4 * 4u);
        let at = weight_row(column) * params.inner4 + min(k4 + k, params.inner4 - 1u);
        let value = select(vec4f(0.0), weight4(at), k4 + k < params.inner4);
        let place = weight_place + k * 4u * TILE_COLUMNS4 + column / 4u;
        column_tile[place][column % 4u] = value.x;
        column_tile[place + TILE_COLUMNS4][column % 4u] = value.y;
        column_tile[place + 2u * TILE_COLUMNS4][column % 4u] = value.z;
        column_tile[place + 3u * TILE_COLUMNS4][column % 4u] = value.w;
      }
      workgroupBarrier();
      add_staged(&sums, part, lane);
    }
    for (var r = 0u; r < ROWS; r++) {
      for (var c = 0u; c < COLUMNS4; c++) {
        (*totals)[r][c] += sums[r][c];
        if (part > 0u) { part_sums[((part - 1u) * ROWS * COLUMNS4 + r * COLUMNS4 + c) * LANES + lane] = sums[r][c]; }
      }
    }
    if (PARTS > 1u) {
      workgroupBarrier();
      let others = min(PARTS, (inner - round + BLOCK - 1u) / BLOCK) - 1u;
      for (var other = 0u; other < others; other += 1u) {
        for (var r = 0u; r < ROWS; r++) {
          for (var c = 0u; c < COLUMNS4; c++) {
            (*totals)[r][c] += part_sums[(other * ROWS * COLUMNS4 + r * COLUMNS4 + c) * LANES + lane];
          }
        }
      }
    }
  }
}
