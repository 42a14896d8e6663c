// dgate = dy * up * s * (1 + gate * (1 - s)), dup = dy * gate * s, s = sigmoid(gate).
// Owner of four elements of each: one invocation. No sum.
struct Params {
  rows: u32,
  width4: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gate_up: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dgate_up: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let row = index / params.width4;
  if (row >= params.rows) { return; }
  let at = row * 2u * params.width4 + index % params.width4;
  let gate = gate_up[at];
  let sigmoid = 1.0 / (1.0 + exp(-gate));
  let upstream = dy[index];
  dgate_up[at] = upstream * gate_up[at + params.width4] * sigmoid * (1.0 + gate * (1.0 - sigmoid));
  dgate_up[at + params.width4] = upstream * gate * sigmoid;
}
