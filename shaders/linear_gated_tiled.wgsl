// gate_up = x W^T with W's gate rows before its up rows, and activated = silu(gate) * up (swiglu.wgsl), for hardware:
// register tiles, in the order of sums of lib/linear_tile_sums. The first half of a tile's columns are gates, the second
// the ups that they belong to, so an invocation has both.
// unroll
struct Params {
  rows: u32,
  width: u32,         // columns of activated: gates, and ups
  inner4: u32,        // length of a row of x and of weight in vec4
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
// include weight
@group(0) @binding(3) var<storage, read_write> gate_up: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> activated: array<vec4f>;
// include linear_tile_sums

const HALF = TILE_COLUMNS4 * 2u;
var<private> first_gate: u32;
fn weight_row(column: u32) -> u32 {
  return column / HALF * params.width + min(first_gate + column % HALF, params.width - 1u);
}

@compute @workgroup_size(LANES * PARTS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  first_gate = group.x * HALF;
  let first_row = group.y * TILE_ROWS4 * 4u;
  var totals: Sums;
  sum_tile(&totals, first_row, invocation);
  let column = first_gate + invocation % ACROSS * 4u;
  if (invocation >= LANES || column >= params.width) { return; }
  for (var r = 0u; r < ROWS4; r++) {
    for (var i = 0u; i < SQUARE; i++) {
      let row = first_row + (r * DOWN + invocation / ACROSS) * SQUARE + i;
      if (row < params.rows) {
        let gate = totals[SQUARE * r + i][0];
        let up = totals[SQUARE * r + i][1];
        let at = (row * 2u * params.width + column) / 4u;
        gate_up[at] = gate;
        gate_up[at + params.width / 4u] = up;
        activated[(row * params.width + column) / 4u] = gate / (1.0 + exp(-gate)) * up;
      }
    }
  }
}
