// y[m, n] = scale * sum_k x[m, k] * weight[n, k] (+ bias) (+ residual), as linear.wgsl, for hardware: register tiles, in
// the order of sums of lib/linear_tile_sums.
// unroll
// include linear_operands
// include linear_tile_sums

var<private> first_column: u32;
fn weight_row(column: u32) -> u32 { return min(first_column + column, params.columns - 1u); }

@compute @workgroup_size(LANES * PARTS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  first_column = group.x * TILE_COLUMNS4 * 4u;
  let first_row = group.y * TILE_ROWS4 * 4u;
  var totals: Sums;
  sum_tile(&totals, first_row, invocation);
  if (invocation >= LANES) { return; }
  let across = invocation % ACROSS;
  let down = invocation / ACROSS;
  for (var c = 0u; c < COLUMNS4; c++) {
    let first = first_column + (c * ACROSS + across) * 4u;
    if (first < params.columns) {
      let column = first + vec4u(0u, 1u, 2u, 3u);
      var offset = vec4f(0.0);
      if (HAS_BIAS) {
        let own = min(column, vec4u(params.columns - 1u));
        offset = vec4f(bias[own.x], bias[own.y], bias[own.z], bias[own.w]);
      }
      for (var r = 0u; r < ROWS4; r++) {
        for (var i = 0u; i < SQUARE; i++) {
          let row = first_row + (r * DOWN + down) * SQUARE + i;
          if (row < params.rows) {
            let at = row * params.y_stride4 + params.y_offset4 + first / 4u;
            var value = totals[SQUARE * r + i][c] * params.scale;
            if (HAS_BIAS) { value += offset; }
            if (HAS_RESIDUAL) { value += residual[at]; }
            if (ACCUMULATE) { value += y[at]; }
            y[at] = select(vec4f(0.0), value, column < vec4u(params.columns));
          }
        }
      }
    }
  }
}
