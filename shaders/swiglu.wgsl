// y = silu(gate) * up, silu(g) = g / (1 + exp(-g)) (Shazeer 2020). gate_up rows hold gate, then up.
// Owner of y[row, c..c+3]: one invocation. No sum.
struct Params {
  rows: u32,
  width4: u32,        // length of a row of y in vec4
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gate_up: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let row = index / params.width4;
  if (row >= params.rows) { return; }
  let at = row * 2u * params.width4 + index % params.width4;
  let gate = gate_up[at];
  y[index] = gate / (1.0 + exp(-gate)) * gate_up[at + params.width4];
}
