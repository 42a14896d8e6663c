// out[i] = value[i] rounded to 16 bits, to nearest, ties to even, two to a word, the earlier one low: bfloat16, or IEEE
// half where BFLOAT is false. Written with integers, because WGSL leaves the rounding of its own conversions to the
// adapter, and the host must get the same bits. Overflow becomes infinite.
// Owner of four elements: one invocation.
const BFLOAT = true;
struct Params {
  count4: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> value: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2u>;
// include invocation

fn bfloat(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return (bits >> 16u) | 0x40u; }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}

fn half(bits: u32) -> u32 {
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return sign | 0x7e00u; }
  if (magnitude >= 0x477ff000u) { return sign | 0x7c00u; }
  if (magnitude >= 0x38800000u) {
    let rebased = magnitude - 0x38000000u;
    return sign | ((rebased + 0xfffu + ((rebased >> 13u) & 1u)) >> 13u);
  }
  // A multiple of 2^-24; at most half of one rounds to zero.
  let shift = 126u - (magnitude >> 23u);
  if (shift > 24u) { return sign; }
  let mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  let kept = mantissa >> shift;
  let rest = mantissa & ((1u << shift) - 1u);
  let middle = 1u << (shift - 1u);
  return sign | (kept + select(0u, 1u, rest > middle || (rest == middle && (kept & 1u) == 1u)));
}

fn stored(bits: u32) -> u32 {
  if (BFLOAT) { return bfloat(bits); }
  return half(bits);
}

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  if (index >= params.count4) { return; }
  let v = value[index];
  out[index] = vec2u(stored(v.x) | (stored(v.y) << 16u), stored(v.z) | (stored(v.w) << 16u));
}
