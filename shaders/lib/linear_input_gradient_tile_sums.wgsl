// The sums of a register tile of dx = dy W, over operands staged in workgroup memory (lib/register_tile); n ascending.
// include register_tile

fn sum_tile(sums: ptr<function, Sums>, first_row: u32, first_column: u32, lane: u32) {
  for (var n = 0u; n < params.outer; n += DEPTH) {
    workgroupBarrier();
    for (var i = lane; i < TILE_ROWS4 * SQUARE * DEPTH; i += LANES) {
      let row = i % (TILE_ROWS4 * SQUARE);
      let term = n + i / (TILE_ROWS4 * SQUARE);
      let at = min(first_row + row, params.rows - 1u) * params.dy_stride + params.dy_offset;
      let value = dy[at + min(term, params.outer - 1u)];
      row_tile[(term - n) * TILE_ROWS4 + row / SQUARE][row % SQUARE] = select(0.0, value, term < params.outer);
    }
    for (var i = lane; i < TILE_COLUMNS4 * DEPTH; i += LANES) {
      let column = min(first_column + i % TILE_COLUMNS4, params.width4 - 1u);
      let term = n + i / TILE_COLUMNS4;
      let value = weight4(min(term, params.outer - 1u) * params.width4 + column);
      column_tile[i] = select(vec4f(0.0), value, term < params.outer);
    }
    workgroupBarrier();
    add_staged(sums, 0u, lane);
  }
}
