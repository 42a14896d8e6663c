// y[m, n] = scale * sum_k x[m, k] * weight[n, k] (+ bias[n]) (+ residual[m, n]), with ACCUMULATE = true added to y;
// columns of y from the weight's last row up to a multiple of 4 become 0.
// Owner of TILE_M rows x 4 columns of y: one invocation, in registers, no workgroup memory. K ascending in one chain of
// fused multiply-adds per element, so an element does not depend on m's neighbours or on how many rows there are. Lanes
// of a workgroup stand side by side along n; all read the same rows of x.
// unroll
const TILE_M = 4u;
const LANES = 8u;
// include linear_operands

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * TILE_M;
  let first = (group.x * LANES + lane) * 4u;
  if (first >= params.columns) { return; }
  let column = first + vec4u(0u, 1u, 2u, 3u);
  let from_column = min(column, vec4u(params.columns - 1u));
  let weight_at = from_column * params.inner4;
  var x_at: array<u32, TILE_M>;
  for (var i = 0u; i < TILE_M; i++) { x_at[i] = min(row + i, params.rows - 1u) * params.inner4; }
  var sums: array<vec4f, TILE_M>;
  for (var k = 0u; k < params.inner4; k++) {
    let at = weight_at + k;
    let w = transpose(mat4x4f(weight4(at.x), weight4(at.y), weight4(at.z), weight4(at.w)));
    for (var i = 0u; i < TILE_M; i++) {
      let a = x[x_at[i] + k];
      sums[i] = fma(a.wwww, w[3], fma(a.zzzz, w[2], fma(a.yyyy, w[1], fma(a.xxxx, w[0], sums[i]))));
    }
  }
  var offset = vec4f(0.0);
  if (HAS_BIAS) { offset = vec4f(bias[from_column.x], bias[from_column.y], bias[from_column.z], bias[from_column.w]); }
  for (var i = 0u; i < TILE_M; i++) {
    if (row + i < params.rows) {
      let at = (row + i) * params.y_stride4 + params.y_offset4 + first / 4u;
      var value = sums[i] * params.scale;
      if (HAS_BIAS) { value += offset; }
      if (HAS_RESIDUAL) { value += residual[at]; }
      if (ACCUMULATE) { value += y[at]; }
      y[at] = select(vec4f(0.0), value, column < vec4u(params.columns));
    }
  }
}
