// The gradient of silu(gate) * up, which is dy W, carried on to gate and up (swiglu_backward.wgsl), for hardware: register
// tiles over operands staged in workgroup memory. n ascending.
// unroll
struct Params {
  rows: u32,
  outer: u32,         // rows of weight: the length of the sum
  width4: u32,        // columns of weight, gates, and ups, in vec4
  dy_stride: u32,
  dy_offset: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
// include weight
@group(0) @binding(3) var<storage, read> gate_up: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dgate_up: array<vec4f>;
// include linear_input_gradient_tile_sums

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * TILE_ROWS4 * SQUARE;
  let first_column = group.x * TILE_COLUMNS4;
  var sums: Sums;
  sum_tile(&sums, first_row, first_column, lane);
  let across = lane % ACROSS;
  let down = lane / ACROSS;
  for (var c = 0u; c < COLUMNS4; c++) {
    let column = first_column + c * ACROSS + across;
    if (column < params.width4) {
      for (var r = 0u; r < ROWS4; r++) {
        for (var i = 0u; i < SQUARE; i++) {
          let row = first_row + (r * DOWN + down) * SQUARE + i;
          if (row < params.rows) {
            let at = row * 2u * params.width4 + column;
            let gate = gate_up[at];
            let sigmoid = 1.0 / (1.0 + exp(-gate));
            let value = sums[SQUARE * r + i][c];
            dgate_up[at] = value * gate_up[at + params.width4] * sigmoid * (1.0 + gate * (1.0 - sigmoid));
            dgate_up[at + params.width4] = value * gate * sigmoid;
          }
        }
      }
    }
  }
}
