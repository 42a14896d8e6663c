// y = x * rstd * gain, rstd = 1 / sqrt(mean(x^2) + epsilon) (Zhang and Sennrich 2019).
// A "row" is one vector of `width4` vec4: vector v of token row r starts at r * row_stride4 + vector_offset4 + v * width4, so that the heads of a projection
// can be normalised in place of a whole row (Qwen3). Owner of a row: ROW_LANES invocations; sum of squares in strides of ROW_LANES, then a tree.
struct Params {
  rows: u32,
  vectors_per_row: u32,
  width4: u32,
  row_stride4: u32,
  vector_offset4: u32,
  epsilon: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> gain: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> rstd: array<f32>;    // [rows * vectors_per_row]
// include row_reduce

@compute @workgroup_size(ROW_LANES * ROWS_PER_GROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let vectors = params.rows * params.vectors_per_row;
  let requested = (group.y * groups.x + group.x) * ROWS_PER_GROUP + invocation / ROW_LANES;
  let vector = min(requested, vectors - 1u);
  let lane = invocation % ROW_LANES;
  let start = (vector / params.vectors_per_row) * params.row_stride4 + params.vector_offset4 + (vector % params.vectors_per_row) * params.width4;
  var squares = 0.0;
  for (var c = lane; c < params.width4; c += ROW_LANES) {
    let value = x[start + c];
    squares += dot(value, value);
  }
  let scale = inverseSqrt(row_sum(squares, invocation) / f32(params.width4 * 4u) + params.epsilon);
  if (requested >= vectors) { return; }
  for (var c = lane; c < params.width4; c += ROW_LANES) {
    y[start + c] = x[start + c] * scale * gain[c];
  }
  if (lane == 0u) { rstd[vector] = scale; }
}
