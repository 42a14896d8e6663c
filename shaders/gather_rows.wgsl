// y[i, :] = x[row_index[i], :]. Owner of y[i, c..c+3]: one invocation. No sum.
struct Params {
  count: u32,
  width4: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_index: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let entry = index / params.width4;
  if (entry >= params.count) { return; }
  y[index] = x[row_index[entry] * params.width4 + index % params.width4];
}
