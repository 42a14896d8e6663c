// Philox 4x32 with 10 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): four random words from a counter and a key.

// High and low words of a 32 x 32 bit product; WGSL has no 64-bit integers, so from 16-bit halves.
fn multiply_wide(a: u32, b: u32) -> vec2u {
  let a_low = a & 0xffffu; let a_high = a >> 16u;
  let b_low = b & 0xffffu; let b_high = b >> 16u;
  let low = a_low * b_low;
  let middle_a = a_high * b_low + (low >> 16u);
  let middle_b = a_low * b_high + (middle_a & 0xffffu);
  return vec2u(a_high * b_high + (middle_a >> 16u) + (middle_b >> 16u), (middle_b << 16u) | (low & 0xffffu));
}

fn philox(counter_start: vec4u, key_start: vec2u) -> vec4u {
  var counter = counter_start;
  var key = key_start;
  for (var round = 0u; round < 10u; round++) {
    let first = multiply_wide(0xD2511F53u, counter.x);
    let second = multiply_wide(0xCD9E8D57u, counter.z);
    counter = vec4u(second.x ^ counter.y ^ key.x, second.y, first.x ^ counter.w ^ key.y, first.y);
    key += vec2u(0x9E3779B9u, 0xBB67AE85u);
  }
  return counter;
}

// A number in (0, 1): never 0 and never 1, so that its logarithm is finite and negative.
fn open_unit(word: u32) -> f32 {
  return (f32(word >> 9u) + 0.5) * 0x1p-23;
}
