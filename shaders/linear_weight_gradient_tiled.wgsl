// dweight[n, k] += sum_m dy[m, n] * x[m, k], as linear_weight_gradient.wgsl, for adapters whose workgroups share fast
// memory.
// A workgroup owns 64 rows and 8 vec4 of columns of dweight and stages 16 terms of the sum at a time; an invocation
// owns eight rows of one vec4. m ascending, and the sum is added to the accumulated gradient once.
// unroll
const ROWS = 8u;
// include linear_weight_gradient_operands
var<workgroup> dy_tile: array<f32, 1024>;
var<workgroup> x_tile: array<vec4f, 128>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * 64u;
  let first_column = group.x * 8u;
  let across = lane % 8u;
  let down = (lane / 8u) * ROWS;
  var sums: array<vec4f, ROWS>;
  for (var m = 0u; m < params.rows; m += 16u) {
    for (var at = lane; at < 1024u; at += 64u) {
      let term = min(m + at / 64u, params.rows - 1u);
      let row = min(first_row + at % 64u, params.outer - 1u);
      dy_tile[at] = select(0.0, dy[term * params.dy_stride + params.dy_offset + row], m + at / 64u < params.rows);
    }
    for (var at = lane; at < 128u; at += 64u) {
      let term = min(m + at / 8u, params.rows - 1u);
      let column = min(first_column + at % 8u, params.width4 - 1u);
      x_tile[at] = select(vec4f(0.0), x[term * params.width4 + column], m + at / 8u < params.rows);
    }
    workgroupBarrier();
    for (var s = 0u; s < 16u; s++) {
      let value = x_tile[s * 8u + across];
      for (var j = 0u; j < ROWS; j++) { sums[j] = fma(vec4f(dy_tile[s * 64u + down + j]), value, sums[j]); }
    }
    workgroupBarrier();
  }
  let column = first_column + across;
  if (column >= params.width4) { return; }
  for (var j = 0u; j < ROWS; j++) {
    let row = first_row + down + j;
    if (row < params.outer) { dweight[row * params.width4 + column] += sums[j]; }
  }
}
