// dx[m, k] = scale * sum_n dy[m, n] * weight[n, k]; with ACCUMULATE = true added to what dx holds (weights in shards).
// Owner of dx[m .. m + TILE_M, k .. k + 3]: one invocation; n ascending. dy's rows may be longer than the weight has
// rows (dy_stride, dy_offset).
// unroll
const TILE_M = 8u;
const LANES = 8u;
// include linear_input_gradient_operands

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * TILE_M;
  let column = group.x * LANES + lane;
  if (column >= params.width4) { return; }
  var dy_at: array<u32, TILE_M>;
  for (var i = 0u; i < TILE_M; i++) { dy_at[i] = min(row + i, params.rows - 1u) * params.dy_stride + params.dy_offset; }
  var sums: array<vec4f, TILE_M>;
  for (var n = 0u; n < params.outer; n++) {
    let w = weight4(n * params.width4 + column);
    for (var i = 0u; i < TILE_M; i++) { sums[i] = fma(vec4f(dy[dy_at[i] + n]), w, sums[i]); }
  }
  for (var i = 0u; i < TILE_M; i++) {
    if (row + i < params.rows) {
      let at = (row + i) * params.width4 + column;
      let value = sums[i] * params.scale;
      if (ACCUMULATE) { dx[at] += value; } else { dx[at] = value; }
    }
  }
}
