// dx = residual_gradient + rstd * (gain * dy - x * rstd^2 * mean(gain * dy * x)): the gradient of rms_norm joined with
// that of the residual path beside it. HAS_RESIDUAL = false leaves the first term out.
// Owner of a row, one of the vectors of lib/vectors.wgsl: ROW_LANES invocations.
const HAS_RESIDUAL = true;
struct Params {
  rows: u32,
  vectors_per_row: u32,
  width4: u32,
  row_stride4: u32,
  vector_offset4: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> gain: array<vec4f>;
@group(0) @binding(3) var<storage, read> rstd: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<vec4f>;
@group(0) @binding(5) var<storage, read> residual_gradient: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dx: array<vec4f>;
// include row_reduce
// include vectors

@compute @workgroup_size(ROW_LANES * ROWS_PER_GROUP)
fn main(invocation: Invocation) {
  let vectors = params.rows * params.vectors_per_row;
  let requested = row_of(invocation);
  let vector = min(requested, vectors - 1u);
  let lane = row_lane(invocation);
  let start = vector_start(vector);
  var products = 0.0;
  for (var c = lane; c < params.width4; c += ROW_LANES) {
    products += dot(gain[c] * dy[start + c], x[start + c]);
  }
  let scale = rstd[vector];
  let mean = row_sum(products, invocation) / f32(params.width4 * 4u);
  if (requested >= vectors) { return; }
  for (var c = lane; c < params.width4; c += ROW_LANES) {
    var gradient = scale * (gain[c] * dy[start + c] - x[start + c] * (scale * scale * mean));
    if (HAS_RESIDUAL) { gradient += residual_gradient[start + c]; }
    dx[start + c] = gradient;
  }
}
