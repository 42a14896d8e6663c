// dx[m, k] = scale * sum_n dy[m, n] * weight[n, k], as linear_input_gradient.wgsl, for hardware: register tiles over
// operands staged in workgroup memory (lib/register_tile); with ACCUMULATE = true added to dx. n ascending.
// unroll
// include register_tile
// include linear_input_gradient_operands

const LANES = ACROSS * DOWN;
var<workgroup> dy_tile: array<vec4f, DEPTH * TILE_ROWS4>;
var<workgroup> weight_tile: array<vec4f, DEPTH * TILE_COLUMNS4>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * TILE_ROWS4 * SQUARE;
  let first_column = group.x * TILE_COLUMNS4;
  let across = lane % ACROSS;
  let down = lane / ACROSS;
  var sums: array<array<vec4f, COLUMNS4>, ROWS>;
  for (var n = 0u; n < params.outer; n += DEPTH) {
    workgroupBarrier();
    for (var i = lane; i < TILE_ROWS4 * SQUARE * DEPTH; i += LANES) {
      let row = i % (TILE_ROWS4 * SQUARE);
      let term = n + i / (TILE_ROWS4 * SQUARE);
      let at = min(first_row + row, params.rows - 1u) * params.dy_stride + params.dy_offset;
      let value = dy[at + min(term, params.outer - 1u)];
      dy_tile[(term - n) * TILE_ROWS4 + row / SQUARE][row % SQUARE] = select(0.0, value, term < params.outer);
    }
    for (var i = lane; i < TILE_COLUMNS4 * DEPTH; i += LANES) {
      let column = min(first_column + i % TILE_COLUMNS4, params.width4 - 1u);
      let term = n + i / TILE_COLUMNS4;
      let value = weight4(min(term, params.outer - 1u) * params.width4 + column);
      weight_tile[i] = select(vec4f(0.0), value, term < params.outer);
    }
    workgroupBarrier();
    for (var s = 0u; s < DEPTH; s += 1u) {
      var w: array<vec4f, COLUMNS4>;
      for (var c = 0u; c < COLUMNS4; c++) { w[c] = weight_tile[s * TILE_COLUMNS4 + c * ACROSS + across]; }
      for (var r = 0u; r < ROWS4; r++) {
        let a = dy_tile[s * TILE_ROWS4 + r * DOWN + down];
        for (var c = 0u; c < COLUMNS4; c++) {
          for (var i = 0u; i < SQUARE; i++) { sums[SQUARE * r + i][c] = fma(vec4f(a[i]), w[c], sums[SQUARE * r + i][c]); }
        }
      }
    }
  }
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
