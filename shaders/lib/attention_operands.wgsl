// What the programs of attention are given: queries, and keys and values in pages.
struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  page_size: u32,
  pages_per_slot: u32,
  tile_begin: u32,     // first entry of `rows` that is a tile, for the programs over tiles
  scale: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<vec4u>;     // slot, position, end of the sequence's rows, 0
@group(0) @binding(2) var<storage, read> slot_pages: array<u32>;
@group(0) @binding(3) var<storage, read> q: array<vec4f>;
@group(0) @binding(4) var<storage, read> k_pages: array<vec4f>;
@group(0) @binding(5) var<storage, read> v_pages: array<vec4f>;
