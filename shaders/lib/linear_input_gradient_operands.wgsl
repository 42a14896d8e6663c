// What the programs of dx = scale * dy W are given; rows of dy may be longer than the weight has rows.
const ACCUMULATE = false;
struct Params {
  rows: u32,
  outer: u32,         // rows of weight: the length of the sum
  width4: u32,        // length of a row of dx and of weight in vec4
  dy_stride: u32,
  dy_offset: u32,
  scale: f32,         // multiplies the sum over n
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
// include weight
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;
