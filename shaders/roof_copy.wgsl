// y = x: the memory roof of an adapter, for the microbenchmarks.
// Owner of STEPS vec4, a whole grid apart so that the lanes of a workgroup stand side by side: one invocation. No sum.
const STEPS = 16u;
struct Params {
  count4: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let stride = invocation.groups.x * invocation.groups.y * 64u;
  var index = element_of(invocation);
  for (var step = 0u; step < STEPS && index < params.count4; step++) {
    y[index] = x[index];
    index += stride;
  }
}
