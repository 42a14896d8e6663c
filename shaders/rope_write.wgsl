// Splits a row's projection into query, key and value, rotates query and key by the row's position (Su et al. 2021,
// halves as in Hugging Face: element i turns with element i + head_dim / 2), and writes key and value into the row's KV
// page.
// rotations[position, i] = (cos, sin) of the angle of pair i. KV pools are [page, kv_head, offset in page, head_dim].
// Owner of a pair of elements: one invocation. No sum. `qk` and `qkv` differ only where query and key were normalised
// on the way (Qwen3).
struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  half_dim: u32,
  page_size: u32,
  pages_per_slot: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<vec4u>;     // slot, position, end of the sequence's rows, 0
@group(0) @binding(2) var<storage, read> slot_pages: array<u32>;
@group(0) @binding(3) var<storage, read> rotations: array<vec2f>;
@group(0) @binding(4) var<storage, read> qk: array<f32>;      // [rows, heads + 2 * kv_heads, head_dim]
@group(0) @binding(5) var<storage, read> qkv: array<f32>;
@group(0) @binding(6) var<storage, read_write> q: array<f32>; // [rows, heads, head_dim]
@group(0) @binding(7) var<storage, read_write> k_pages: array<f32>;
@group(0) @binding(8) var<storage, read_write> v_pages: array<f32>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let all_heads = params.heads + 2u * params.kv_heads;
  let row = index / (all_heads * params.half_dim);
  if (row >= params.rows) { return; }
  let head = (index / params.half_dim) % all_heads;
  let pair = index % params.half_dim;
  let from_low = (row * all_heads + head) * 2u * params.half_dim + pair;
  let from_high = from_low + params.half_dim;
  let position = rows[row].y;
  let turn = rotations[position * params.half_dim + pair];
  if (head < params.heads) {
    let low = qk[from_low];
    let high = qk[from_high];
    let to = (row * params.heads + head) * 2u * params.half_dim + pair;
    q[to] = low * turn.x - high * turn.y;
    q[to + params.half_dim] = high * turn.x + low * turn.y;
    return;
  }
  let page = slot_pages[rows[row].x * params.pages_per_slot + position / params.page_size];
  let kv_head = (head - params.heads) % params.kv_heads;
  let place = (page * params.kv_heads + kv_head) * params.page_size + position % params.page_size;
  let to = place * 2u * params.half_dim + pair;
  if (head < params.heads + params.kv_heads) {
    let low = qk[from_low];
    let high = qk[from_high];
    k_pages[to] = low * turn.x - high * turn.y;
    k_pages[to + params.half_dim] = high * turn.x + low * turn.y;
  } else {
    v_pages[to] = qkv[from_low];
    v_pages[to + params.half_dim] = qkv[from_high];
  }
}
