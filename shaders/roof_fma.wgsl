// Chains of fused multiply-adds in registers with next to no memory traffic: the f32 roof of an adapter, for the
// microbenchmarks.
// Owner of four elements: one invocation; the sum of its chains is stored so that none can be dropped.
// unroll
const CHAINS = 2u;
const TURNS = 8u;     // chain steps per loop turn, so that the loop's own work does not count
struct Params {
  steps: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let seed = vec4f(f32(index & 7u)) * 0.125;
  let scale = vec4f(0.5);
  var chains: array<vec4f, CHAINS>;
  for (var c = 0u; c < CHAINS; c++) { chains[c] = seed + f32(c); }
  for (var step = 0u; step < params.steps; step++) {
    for (var t = 0u; t < TURNS; t++) {
      for (var c = 0u; c < CHAINS; c++) { chains[c] = fma(chains[c], scale, seed); }
    }
  }
  var sum = vec4f(0.0);
  for (var c = 0u; c < CHAINS; c++) { sum += chains[c]; }
  result[index] = sum;
}
