// y[m, n] = sum_k x[m, k] * weight[n, k] (+ bias[n]) (+ residual[m, n]).
// Owner of a TILE_M x TILE_N tile of y: one invocation, in registers, no workgroup memory. K ascending in one chain of fused multiply-adds per element, so an
// element does not depend on m's neighbours or on how many rows there are. Lanes of a workgroup stand side by side along n; all read the same rows of x.
const TILE_M = 4u;
const TILE_N = 4u;
const LANES = 8u;
const HAS_BIAS = false;
const HAS_RESIDUAL = false;
struct Params {
  rows: u32,
  columns: u32,
  inner4: u32,        // length of a row of x and of weight in vec4
  y_stride: u32,      // elements from one row of y (and of residual) to the next
  y_offset: u32,      // first column written, for weights in shards
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * TILE_M;
  let column = (group.x * LANES + lane) * TILE_N;
  if (column >= params.columns) { return; }
  var x_at: array<u32, TILE_M>;
  for (var i = 0u; i < TILE_M; i++) { x_at[i] = min(row + i, params.rows - 1u) * params.inner4; }
  var weight_at: array<u32, TILE_N>;
  for (var j = 0u; j < TILE_N; j++) { weight_at[j] = min(column + j, params.columns - 1u) * params.inner4; }
  var sums: array<array<f32, TILE_N>, TILE_M>;
  for (var k = 0u; k < params.inner4; k++) {
    var w: array<vec4f, TILE_N>;
    for (var j = 0u; j < TILE_N; j++) { w[j] = weight[weight_at[j] + k]; }
    for (var i = 0u; i < TILE_M; i++) {
      let a = x[x_at[i] + k];
      for (var j = 0u; j < TILE_N; j++) {
        sums[i][j] = fma(a.w, w[j].w, fma(a.z, w[j].z, fma(a.y, w[j].y, fma(a.x, w[j].x, sums[i][j]))));
      }
    }
  }
  for (var i = 0u; i < TILE_M; i++) {
    if (row + i >= params.rows) { break; }
    for (var j = 0u; j < TILE_N; j++) {
      if (column + j < params.columns) {
        var value = sums[i][j];
        if (HAS_BIAS) { value += bias[column + j]; }
        let at = (row + i) * params.y_stride + params.y_offset + column + j;
        if (HAS_RESIDUAL) { value += residual[at]; }
        y[at] = value;
      }
    }
  }
}
