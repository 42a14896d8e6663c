// A weight matrix of IEEE halves, two to a word, the earlier one low. Needs no shader-f16. Every half is an f32, so
// nothing is rounded here.
@group(0) @binding(2) var<storage, read> weight: array<vec2u>;
fn weight4(index: u32) -> vec4f {
  let pair = weight[index];
  return vec4f(unpack2x16float(pair.x), unpack2x16float(pair.y));
}
