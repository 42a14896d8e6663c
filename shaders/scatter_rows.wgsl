// x[row_index[i], :] = y[i, :]: the gradient of gather_rows over distinct rows; the other rows of x are left as they
// are (the caller clears them).
// Owner of four elements: one invocation. No sum.
struct Params {
  count: u32,
  width4: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_index: array<u32>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> x: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let entry = index / params.width4;
  if (entry >= params.count) { return; }
  x[row_index[entry] * params.width4 + index % params.width4] = y[index];
}
