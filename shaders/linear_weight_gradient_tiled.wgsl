// dweight[n, k] += sum_m dy[m, n] * x[m, k], as linear_weight_gradient.wgsl, for hardware: register tiles over operands
// staged in workgroup memory (lib/register_tile). m ascending, and the sum is added to the accumulated gradient once.
// unroll
// include register_tile
// include linear_weight_gradient_operands

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * TILE_ROWS4 * SQUARE;
  let first_column = group.x * TILE_COLUMNS4;
  let across = lane % ACROSS;
  let down = lane / ACROSS;
  var sums: Sums;
  for (var m = 0u; m < params.rows; m += DEPTH) {
    workgroupBarrier();
    for (var i = lane; i < TILE_ROWS4 * SQUARE * DEPTH; i += LANES) {
      let row = i % (TILE_ROWS4 * SQUARE);
      let term = m + i / (TILE_ROWS4 * SQUARE);
      let at = min(term, params.rows - 1u) * params.dy_stride + params.dy_offset;
      let value = dy[at + min(first_row + row, params.outer - 1u)];
      row_tile[(term - m) * TILE_ROWS4 + row / SQUARE][row % SQUARE] = select(0.0, value, term < params.rows);
    }
    for (var i = lane; i < TILE_COLUMNS4 * DEPTH; i += LANES) {
      let column = min(first_column + i % TILE_COLUMNS4, params.width4 - 1u);
      let term = m + i / TILE_COLUMNS4;
      let value = x[min(term, params.rows - 1u) * params.width4 + column];
      column_tile[i] = select(vec4f(0.0), value, term < params.rows);
    }
    workgroupBarrier();
    add_staged(&sums, 0u, lane);
  }
  for (var c = 0u; c < COLUMNS4; c++) {
    let column = first_column + c * ACROSS + across;
    if (column < params.width4) {
      for (var r = 0u; r < ROWS4; r++) {
        for (var i = 0u; i < SQUARE; i++) {
          let row = first_row + (r * DOWN + down) * SQUARE + i;
          if (row < params.outer) { dweight[row * params.width4 + column] += sums[SQUARE * r + i][c]; }
        }
      }
    }
  }
}
