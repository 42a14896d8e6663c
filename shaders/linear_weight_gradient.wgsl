// dweight[n, k] += sum_m dy[m, n] * x[m, k].
// Owner of dweight[n .. n + TILE_N, k .. k + 3]: one invocation; m ascending, and the sum is added to the accumulated gradient once.
// unroll
const TILE_N = 8u;
const LANES = 8u;
struct Params {
  rows: u32,          // m: the length of the sum
  outer: u32,         // n: rows of dweight
  width4: u32,        // length of a row of x and of dweight in vec4
  dy_stride: u32,
  dy_offset: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dweight: array<vec4f>;

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
