// The LANES vectors that a subgroup owns of a query tile, which is some consecutive rows of one slot x the SHARING query
// heads of one key head: vectors first .. first + LANES - 1, one a lane. Lanes behind the last vector repeat it.
// include shared_loads
const SHARING = 2u;
// include attention_operands

struct Vector {
  index: u32,         // row * heads + head
  position: u32,
}

// The tile is (first row, number of rows, slot, last position); its rows have consecutive positions.
fn vector_of(tile: vec4u, kv_head: u32, number: u32) -> Vector {
  let own = min(number, tile.y * SHARING - 1u);
  let row = own / SHARING;
  return Vector((tile.x + row) * params.heads + kv_head * SHARING + own % SHARING, tile.w + 1u - tile.y + row);
}
