// y[m, n] = scale * sum_k x[m, k] * weight[n, k] (+ bias[n]) (+ residual[m, n]), with ACCUMULATE = true added to y, as
// linear.wgsl, for adapters whose workgroups share fast memory.
// A workgroup owns 32 x 32 elements of y and stages 4 vec4 of K of both operands at a time; an invocation owns ROWS
// rows of 4 columns. K ascending in one chain of fused multiply-adds per element, the same chain as in linear.wgsl;
// places beyond K add fma(0, 0, sum).
// unroll
const ROWS = 4u;
// include linear_operands
// [4][32]: the invocations of a wave read neighbours.
var<workgroup> x_tile: array<vec4f, 128>;
var<workgroup> weight_tile: array<vec4f, 128>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * 32u;
  let first_column = group.x * 32u;
  let across = (lane % 8u) * 4u;
  let down = (lane / 8u) * ROWS;
  var sums: array<vec4f, ROWS>;
  for (var k = 0u; k < params.inner4; k += 4u) {
    for (var at = lane; at < 128u; at += 64u) {
      let inside = k + at % 4u < params.inner4;
      let column = min(k + at % 4u, params.inner4 - 1u);
      let place = (at % 4u) * 32u + at / 4u;
      let x_row = min(first_row + at / 4u, params.rows - 1u);
      let weight_row = min(first_column + at / 4u, params.columns - 1u);
      x_tile[place] = select(vec4f(0.0), x[x_row * params.inner4 + column], inside);
      weight_tile[place] = select(vec4f(0.0), weight4(weight_row * params.inner4 + column), inside);
    }
    workgroupBarrier();
    for (var c = 0u; c < 4u; c++) {
      let at = c * 32u + across;
      let w = transpose(mat4x4f(weight_tile[at], weight_tile[at + 1u], weight_tile[at + 2u], weight_tile[at + 3u]));
      for (var i = 0u; i < ROWS; i++) {
        let a = x_tile[c * 32u + down + i];
        sums[i] = fma(a.wwww, w[3], fma(a.zzzz, w[2], fma(a.yyyy, w[1], fma(a.xxxx, w[0], sums[i]))));
      }
    }
    workgroupBarrier();
  }
  let first = first_column + across;
  if (first >= params.columns) { return; }
  let column = first + vec4u(0u, 1u, 2u, 3u);
  var offset = vec4f(0.0);
  if (HAS_BIAS) {
    let from_column = min(column, vec4u(params.columns - 1u));
    offset = vec4f(bias[from_column.x], bias[from_column.y], bias[from_column.z], bias[from_column.w]);
  }
  for (var i = 0u; i < ROWS; i++) {
    let row = first_row + down + i;
    if (row < params.rows) {
      let at = row * params.y_stride4 + params.y_offset4 + first / 4u;
      var value = sums[i] * params.scale;
      if (HAS_BIAS) { value += offset; }
      if (HAS_RESIDUAL) { value += residual[at]; }
      if (ACCUMULATE) { value += y[at]; }
      y[at] = select(vec4f(0.0), value, column < vec4u(params.columns));
    }
  }
}
