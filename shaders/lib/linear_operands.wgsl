// What the programs of the linear layer y = scale * x W^T (+ bias) (+ residual) are given.
const HAS_BIAS = false;
const HAS_RESIDUAL = false;
const ACCUMULATE = false;
struct Params {
  rows: u32,
  columns: u32,
  inner4: u32,        // length of a row of x and of weight in vec4
  y_stride4: u32,     // vec4 from one row of y (and of residual) to the next
  y_offset4: u32,     // first column written, for weights in shards
  scale: f32,         // multiplies the sum over k
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
// include weight
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;
