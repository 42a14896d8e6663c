// Gradient of rope_write: joins the gradients of query, key and value into the projection's layout; query and key turn
// back by the row's angle.
// Owner of a pair of elements of dqkv: one invocation. No sum.
struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  half_dim: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<vec4u>;     // slot, position, end of the sequence's rows, 0
@group(0) @binding(2) var<storage, read> rotations: array<vec2f>;
@group(0) @binding(3) var<storage, read> dq: array<f32>;      // [rows, heads, head_dim]
@group(0) @binding(4) var<storage, read> dkv: array<f32>;     // [rows, 2 * kv_heads, head_dim]: keys, then values
@group(0) @binding(5) var<storage, read_write> dqkv: array<f32>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let all_heads = params.heads + 2u * params.kv_heads;
  let row = index / (all_heads * params.half_dim);
  if (row >= params.rows) { return; }
  let head = (index / params.half_dim) % all_heads;
  let pair = index % params.half_dim;
  let to = (row * all_heads + head) * 2u * params.half_dim + pair;
  let turn = rotations[rows[row].y * params.half_dim + pair];
  var low: f32;
  var high: f32;
  if (head < params.heads) {
    let from_at = (row * params.heads + head) * 2u * params.half_dim + pair;
    low = dq[from_at];
    high = dq[from_at + params.half_dim];
  } else {
    let from_at = (row * 2u * params.kv_heads + head - params.heads) * 2u * params.half_dim + pair;
    low = dkv[from_at];
    high = dkv[from_at + params.half_dim];
    if (head >= params.heads + params.kv_heads) {
      dqkv[to] = low;
      dqkv[to + params.half_dim] = high;
      return;
    }
  }
  dqkv[to] = low * turn.x + high * turn.y;
  dqkv[to + params.half_dim] = high * turn.x - low * turn.y;
}
