// dx[m, k] = scale * sum_n dy[m, n] * weight[n, k], as linear_input_gradient.wgsl, for hardware: register tiles over
// operands staged in workgroup memory; with ACCUMULATE = true added to dx. n ascending.
// unroll
// include linear_input_gradient_operands
// include linear_input_gradient_tile_sums

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * TILE_ROWS4 * SQUARE;
  let first_column = group.x * TILE_COLUMNS4;
  var sums: Sums;
  sum_tile(&sums, first_row, first_column, lane);
  let across = lane % ACROSS;
  let down = lane / ACROSS;
  for (var c = 0u; c < COLUMNS4; c++) {
    let column = first_column + c * ACROSS + across;
    if (column < params.width4) {
      for (var r = 0u; r < ROWS4; r++) {
        for (var i = 0u; i < SQUARE; i++) {
          let row = first_row + (r * DOWN + down) * SQUARE + i;
          if (row < params.rows) {
            let at = row * params.width4 + column;
            let value = sums[SQUARE * r + i][c] * params.scale;
            if (ACCUMULATE) { dx[at] += value; } else { dx[at] = value; }
          }
        }
      }
    }
  }
}
