// dweight[n, k] += sum_m dy[m, n] * x[m, k].
// Owner of dweight[n .. n + TILE_N, k .. k + 3]: one invocation; m ascending, and the sum is added to the accumulated
// gradient once.
// unroll
const TILE_N = 8u;
const LANES = 8u;
// include linear_weight_gradient_operands

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.y * TILE_N;
  let column = group.x * LANES + lane;
  if (column >= params.width4) { return; }
  var dy_column: array<u32, TILE_N>;
  for (var j = 0u; j < TILE_N; j++) { dy_column[j] = params.dy_offset + min(first + j, params.outer - 1u); }
  var sums: array<vec4f, TILE_N>;
  for (var m = 0u; m < params.rows; m++) {
    let value = x[m * params.width4 + column];
    let dy_row = m * params.dy_stride;
    for (var j = 0u; j < TILE_N; j++) { sums[j] = fma(vec4f(dy[dy_row + dy_column[j]]), value, sums[j]); }
  }
  for (var j = 0u; j < TILE_N; j++) {
    if (first + j < params.outer) { dweight[(first + j) * params.width4 + column] += sums[j]; }
  }
}
