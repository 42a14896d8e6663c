// A register tile: an invocation owns ROWS4 x COLUMNS4 squares of 4 x 4 outputs, ACROSS x DOWN invocations side by side
// own a tile of TILE_ROWS x TILE_COLUMNS4 vec4. DEPTH terms of the sum are staged at a time in workgroup memory, each
// with the values of all rows and of all columns, so 64 multiply-adds of an 8 x 8 tile need 4 reads of a vec4. Squares
// of one invocation lie ACROSS (DOWN) squares apart, so that neighbours read neighbouring places.
const SQUARE = 4u;
const ROWS4 = 2u;
const ROWS = 8u;      // SQUARE * ROWS4
const COLUMNS4 = 2u;
const ACROSS = 8u;
const DOWN = 8u;
const DEPTH = 16u;
const PARTS = 1u;     // groups of lanes with operands of their own
const LANES = ACROSS * DOWN;   // of a part
const TILE_ROWS4 = DOWN * ROWS4;
const TILE_COLUMNS4 = ACROSS * COLUMNS4;

var<workgroup> row_tile: array<vec4f, PARTS * DEPTH * TILE_ROWS4>;
var<workgroup> column_tile: array<vec4f, PARTS * DEPTH * TILE_COLUMNS4>;

// Of the rows and columns that an invocation owns.
alias Sums = array<array<vec4f, COLUMNS4>, ROWS>;

// Adds the products of the DEPTH staged terms, in ascending order.
fn add_staged(sums: ptr<function, Sums>, part: u32, lane: u32) {
  let first_row = part * DEPTH * TILE_ROWS4 + lane / ACROSS;
  let first_column = part * DEPTH * TILE_COLUMNS4 + lane % ACROSS;
  for (var k = 0u; k < DEPTH; k += 1u) {
    var b: array<vec4f, COLUMNS4>;
    for (var c = 0u; c < COLUMNS4; c++) { b[c] = column_tile[first_column + k * TILE_COLUMNS4 + c * ACROSS]; }
    for (var r = 0u; r < ROWS4; r++) {
      let a = row_tile[first_row + k * TILE_ROWS4 + r * DOWN];
      for (var c = 0u; c < COLUMNS4; c++) {
        for (var i = 0u; i < SQUARE; i++) {
          (*sums)[SQUARE * r + i][c] = fma(vec4f(a[i]), b[c], (*sums)[SQUARE * r + i][c]);
        }
      }
    }
  }
}
