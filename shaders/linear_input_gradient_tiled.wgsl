// dx[m, k] = scale * sum_n dy[m, n] * weight[n, k], as linear_input_gradient.wgsl, for adapters whose workgroups share
// fast memory; with ACCUMULATE = true added to dx.
// A workgroup owns 64 rows and 8 vec4 of columns of dx and stages 16 terms of the sum at a time; an invocation owns
// eight rows of one vec4. n ascending.
// unroll
const ROWS = 8u;
// include linear_input_gradient_operands
var<workgroup> dy_tile: array<f32, 1024>;
var<workgroup> weight_tile: array<vec4f, 128>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * 64u;
  let first_column = group.x * 8u;
  let across = lane % 8u;
  let down = (lane / 8u) * ROWS;
  var sums: array<vec4f, ROWS>;
  for (var n = 0u; n < params.outer; n += 16u) {
    for (var at = lane; at < 1024u; at += 64u) {
      let row = min(first_row + at / 16u, params.rows - 1u);
      let term = min(n + at % 16u, params.outer - 1u);
      dy_tile[at] = select(0.0, dy[row * params.dy_stride + params.dy_offset + term], n + at % 16u < params.outer);
    }
    for (var at = lane; at < 128u; at += 64u) {
      let term = min(n + at / 8u, params.outer - 1u);
      let column = min(first_column + at % 8u, params.width4 - 1u);
      weight_tile[at] = select(vec4f(0.0), weight4(term * params.width4 + column), n + at / 8u < params.outer);
    }
    workgroupBarrier();
    for (var s = 0u; s < 16u; s++) {
      let w = weight_tile[s * 8u + across];
      for (var i = 0u; i < ROWS; i++) { sums[i] = fma(vec4f(dy_tile[(down + i) * 16u + s]), w, sums[i]); }
    }
    workgroupBarrier();
  }
  let column = first_column + across;
  if (column >= params.width4) { return; }
  for (var i = 0u; i < ROWS; i++) {
    let row = first_row + down + i;
    if (row < params.rows) {
      let at = row * params.width4 + column;
      let value = sums[i] * params.scale;
      if (ACCUMULATE) { dx[at] += value; } else { dx[at] = value; }
    }
  }
}
