// dx = residual_gradient + rstd * (gain * dy - x * rstd^2 * mean(gain * dy * x)): the gradient of rms_norm joined with that of the residual path beside it.
// Rows are addressed as in rms_norm.wgsl. Owner of a row: ROW_LANES invocations. HAS_RESIDUAL = false leaves the first term out.
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

@compute @workgroup_size(ROW_LANES * ROWS_PER_GROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let vectors = params.rows * params.vectors_per_row;
  let requested = (group.y * groups.x + group.x) * ROWS_PER_GROUP + invocation / ROW_LANES;
  let vector = min(requested, vectors - 1u);
  let lane = invocation % ROW_LANES;
  let start = (vector / params.vectors_per_row) * params.row_stride4 + params.vector_offset4 + (vector % params.vectors_per_row) * params.width4;
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
