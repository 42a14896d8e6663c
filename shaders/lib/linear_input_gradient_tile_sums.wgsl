// The sums of a register tile of dx = dy W, over operands staged in workgroup memory (lib/register_tile); n ascending.
// include register_tile
const LANES = ACROSS * DOWN;
var<workgroup> dy_tile: array<vec4f, DEPTH * TILE_ROWS4>;
var<workgroup> weight_tile: array<vec4f, DEPTH * TILE_COLUMNS4>;

// Of the rows and columns that an invocation owns.
alias Sums = array<array<vec4f, COLUMNS4>, ROWS>;

fn sum_tile(sums: ptr<function, Sums>, first_row: u32, first_column: u32, lane: u32) {
  let across = lane % ACROSS;
  let down = lane / ACROSS;
  for (var n = 0u; n < params.outer; n += DEPTH) {
    workgroupBarrier();
    for (var i = lane; i < TILE_ROWS4 * SQUARE * DEPTH; i += LANES) {
      let row = i % (TILE_ROWS4 * SQUARE);
      let term = n + i / (TILE_ROWS4 * SQUARE);
      let at = min(first_row + row, params.rows - 1u) * params.dy_stride + params.dy_offset;
      let value = dy[at + min(term, params.outer - 1u)];
      dy_tile[(term - n) * TILE_ROWS4 + row / SQUARE][row % SQUARE] = select(0.0, value, term < params.outer);
    }
    for (var i = lane; i < TILE_COLUMNS4 * DEPTH; i += LANES) {
      let column = min(first_column + i % TILE_COLUMNS4, params.width4 - 1u);
      let term = n + i / TILE_COLUMNS4;
      let value = weight4(min(term, params.outer - 1u) * params.width4 + column);
      weight_tile[i] = select(vec4f(0.0), value, term < params.outer);
    }
    workgroupBarrier();
    for (var s = 0u; s < DEPTH; s += 1u) {
      var w: array<vec4f, COLUMNS4>;
      for (var c = 0u; c < COLUMNS4; c++) { w[c] = weight_tile[s * TILE_COLUMNS4 + c * ACROSS + across]; }
      for (var r = 0u; r < ROWS4; r++) {
        let a = dy_tile[s * TILE_ROWS4 + r * DOWN + down];
        for (var c = 0u; c < COLUMNS4; c++) {
          for (var i = 0u; i < SQUARE; i++) {
            (*sums)[SQUARE * r + i][c] = fma(vec4f(a[i]), w[c], (*sums)[SQUARE * r + i][c]);
          }
        }
      }
    }
  }
}
