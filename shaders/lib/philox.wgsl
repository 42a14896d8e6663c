// Philox 4x32 with 10 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): four random words
// from a counter and a key.

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

// A standard Gumbel variable, -log(-log(u)), from the word's 23 high bits: u = (n + 1/2) / 2^23, never 0 and never 1,
// so that both logarithms are finite. WGSL bounds the error of log near 1 absolutely (2^-21), and -log(u) is far
// smaller there: above 3/4, with v = 1 - u (exact) and s = v / (2 - v), it is -log(1 - v) = 2 atanh(s) = 2 (s + s^3 / 3
// + s^5 / 5 + ...), of which s < 1/7 needs five terms.
fn gumbel(word: u32) -> f32 {
  let u = (f32(word >> 9u) + 0.5) * 0x1p-23;
  let v = 1.0 - u;
  let s = v / (2.0 - v);
  let square = s * s;
  let series = 2.0 * s * (1.0 + square * (1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square * (1.0 / 9.0)))));
  return -log(select(-log(u), series, u > 0.75));
}
