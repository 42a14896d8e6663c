// AdamW over a flat run of parameters with moments in f32. Owner of four elements: one invocation. No sum.
// include adamw_step
@group(0) @binding(3) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> first_moment: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> second_moment: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  if (index >= params.count4 || is_skipped()) { return; }
  let g = clipped_gradient(index);
  let m = next_first_moment(first_moment[index], g);
  let v = next_second_moment(second_moment[index], g);
  first_moment[index] = m;
  second_moment[index] = v;
  weight[index] = next_weight(index, weight[index], m, v);
}
