// A weight matrix in blocks of 32 values: one word with the block's scale in f32, then four words of eight nibbles, the
// earliest lowest. value = (nibble - 8) * scale.
@group(0) @binding(2) var<storage, read> weight: array<u32>;
fn weight4(index: u32) -> vec4f {
  let block = index / 8u * 5u;
  let nibbles = weight[block + 1u + index % 8u / 2u] >> (index % 2u * 16u);
  return vec4f(vec4i((vec4u(nibbles) >> vec4u(0u, 4u, 8u, 12u)) & vec4u(15u)) - 8) * bitcast<f32>(weight[block]);
}
