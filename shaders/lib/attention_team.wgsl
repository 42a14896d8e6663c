// A team is SLICES neighbouring lanes of a subgroup that share vectors of a head: lane s of the team owns every
// SLICES-th vec4 of the head, from s on. A product of two vectors is SLICES chains of fused multiply-adds, one per lane,
// added up by halves of the team: ((0 + 1) + (2 + 3)) + ... on every lane.
const HEAD_DIM4 = 6u;
const SLICES = 2u;    // a power of two, at most a subgroup
const SLICE4 = 3u;    // HEAD_DIM4 / SLICES

fn team_sum(own: f32) -> f32 {
  var sum = own;
  if (SLICES > 1u) { sum += subgroupShuffleXor(sum, 1u); }
  if (SLICES > 2u) { sum += subgroupShuffleXor(sum, 2u); }
  if (SLICES > 4u) { sum += subgroupShuffleXor(sum, 4u); }
  if (SLICES > 8u) { sum += subgroupShuffleXor(sum, 8u); }
  return sum;
}

// chain + a . b, in one chain.
fn chain4(a: vec4f, b: vec4f, chain: f32) -> f32 {
  return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, chain))));
}
