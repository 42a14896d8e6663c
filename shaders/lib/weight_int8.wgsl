// A weight matrix in blocks of 32 values: one word with the block's scale in f32, then eight words of four signed
// bytes, the earliest lowest. value = byte * scale.
@group(0) @binding(2) var<storage, read> weight: array<u32>;
fn weight4(index: u32) -> vec4f {
  let block = index / 8u * 9u;
  let bytes = bitcast<i32>(weight[block + 1u + index % 8u]);
  return vec4f(vec4i(bytes << 24u, bytes << 16u, bytes << 8u, bytes) >> vec4u(24u)) * bitcast<f32>(weight[block]);
}
