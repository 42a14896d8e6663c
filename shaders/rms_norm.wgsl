// y = x * rstd * gain, rstd = 1 / sqrt(mean(x^2) + epsilon) (Zhang and Sennrich 2019). A "row" is one of the vectors of
// lib/vectors.wgsl. Owner of a row: ROW_LANES invocations; sum of squares in strides of ROW_LANES, then a tree.
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
// include vectors

@compute @workgroup_size(ROW_LANES * ROWS_PER_GROUP)
fn main(invocation: Invocation) {
  let vectors = params.rows * params.vectors_per_row;
  let requested = row_of(invocation);
  let vector = min(requested, vectors - 1u);
  let lane = row_lane(invocation);
  let start = vector_start(vector);
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
