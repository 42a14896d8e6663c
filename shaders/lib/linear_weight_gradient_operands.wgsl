// What the programs of dW += dy^T x are given.
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
