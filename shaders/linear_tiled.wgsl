// y[m, n] = sum_k x[m, k] * weight[n, k] (+ bias[n]) (+ residual[m, n]), as linear.wgsl, for adapters whose workgroups share fast memory.
// A workgroup owns a tile of TILE x TILE elements of y and stages K_STEP4 vec4 of K of both operands at a time; an invocation owns every eighth column and four
// rows of it. K ascending in one chain of fused multiply-adds per element, the same chain as in linear.wgsl; places beyond K add fma(0, 0, sum).
const TILE = 32u;
const K_STEP4 = 4u;
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
var<workgroup> x_tile: array<vec4f, TILE * K_STEP4>;
var<workgroup> weight_tile: array<vec4f, TILE * K_STEP4>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * TILE;
  let first_column = group.x * TILE;
  let across = lane % 8u;
  let down = lane / 8u;
  var sums: array<array<f32, 4>, 4>;
  for (var k = 0u; k < params.inner4; k += K_STEP4) {
    for (var at = lane; at < TILE * K_STEP4; at += 64u) {
      let inside = k + at % K_STEP4 < params.inner4;
      let column = min(k + at % K_STEP4, params.inner4 - 1u);
      let x_row = min(first_row + at / K_STEP4, params.rows - 1u);
      let weight_row = min(first_column + at / K_STEP4, params.columns - 1u);
      x_tile[at] = select(vec4f(0.0), x[x_row * params.inner4 + column], inside);
      weight_tile[at] = select(vec4f(0.0), weight[weight_row * params.inner4 + column], inside);
    }
    workgroupBarrier();
    for (var c = 0u; c < K_STEP4; c++) {
      var w: array<vec4f, 4>;
      for (var j = 0u; j < 4u; j++) { w[j] = weight_tile[(across + 8u * j) * K_STEP4 + c]; }
      for (var i = 0u; i < 4u; i++) {
        let a = x_tile[(down * 4u + i) * K_STEP4 + c];
        for (var j = 0u; j < 4u; j++) {
          sums[i][j] = fma(a.w, w[j].w, fma(a.z, w[j].z, fma(a.y, w[j].y, fma(a.x, w[j].x, sums[i][j]))));
        }
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    let row = first_row + down * 4u + i;
    if (row >= params.rows) { break; }
    for (var j = 0u; j < 4u; j++) {
      let column = first_column + across + 8u * j;
      if (column < params.columns) {
        var value = sums[i][j];
        if (HAS_BIAS) { value += bias[column]; }
        let at = row * params.y_stride + params.y_offset + column;
        if (HAS_RESIDUAL) { value += residual[at]; }
        y[at] = value;
      }
    }
  }
}
