// A weight matrix of bfloat16, the upper halves of f32, two to a word, the earlier one low.
@group(0) @binding(2) var<storage, read> weight: array<vec2u>;
fn weight4(index: u32) -> vec4f {
  let pair = weight[index];
  return bitcast<vec4f>(vec4u(pair.x << 16u, pair.x & 0xffff0000u, pair.y << 16u, pair.y & 0xffff0000u));
}
