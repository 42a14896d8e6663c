// A query tile for hardware: some consecutive rows of one slot x the SHARING query heads of one key head are its vectors,
// and its keys and values are staged in workgroup memory once for all of them. A team owns VECTORS of the vectors.
// include attention_team
const VECTORS = 2u;
const LANES = 64u;
const SHARING = 2u;
const KEYS = 16u;     // staged at a time
// include attention_operands

var<workgroup> key_tile: array<vec4f, KEYS * HEAD_DIM4>;
var<workgroup> value_tile: array<vec4f, KEYS * HEAD_DIM4>;

// First row, number of rows, slot, last position.
fn query_tile(group: vec3u) -> vec4u { return rows[params.tile_begin + group.x]; }

// Row of one of the tile's vectors; one behind the last repeats it.
fn row_of(tile: vec4u, vector: u32) -> u32 { return tile.x + min(vector / SHARING, tile.y - 1u); }

// Stages KEYS keys from `first` on. Places behind the tile's last key repeat it: no vector sees them.
fn stage_keys(tile: vec4u, kv_head: u32, first: u32, lane: u32) {
  workgroupBarrier();
  for (var i = lane; i < KEYS * HEAD_DIM4; i += LANES) {
    let key = min(first + i / HEAD_DIM4, tile.w);
    let page = slot_pages[tile.z * params.pages_per_slot + key / params.page_size];
    let at = ((page * params.kv_heads + kv_head) * params.page_size + key % params.page_size) * HEAD_DIM4;
    key_tile[i] = k_pages[at + i % HEAD_DIM4];
    value_tile[i] = v_pages[at + i % HEAD_DIM4];
  }
  workgroupBarrier();
}
