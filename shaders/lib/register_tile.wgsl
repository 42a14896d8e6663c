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
const TILE_ROWS4 = DOWN * ROWS4;
const TILE_COLUMNS4 = ACROSS * COLUMNS4;
