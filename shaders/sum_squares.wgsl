// partials[block] = sum of squares of `block4` vec4 of the gradient, ascending.
// Owner of a block: one invocation; the block's size is fixed, so the order of the sum depends on the number of
// elements alone.
struct Params {
  count4: u32,
  block4: u32,
  blocks: u32,
  partial_offset: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let block = element_of(invocation);
  if (block >= params.blocks) { return; }
  let end = min((block + 1u) * params.block4, params.count4);
  var sum = 0.0;
  for (var i = block * params.block4; i < end; i++) { sum += dot(gradient[i], gradient[i]); }
  partials[params.partial_offset + block] = sum;
}
