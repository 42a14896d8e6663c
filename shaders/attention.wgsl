// out[row, head] = softmax(scale * q . k) v over the keys at positions 0 .. position(row) of the row's own slot, read
// through its page table; and the row's log-sum-exp for the backward passes. Online softmax
// (Dao 2022). With the bits of attention_subgroup.wgsl, which takes the rows that share keys.
// Owner of out[row, head, :]: one invocation. Keys ascending in tiles of KV_TILE that start at multiples of KV_TILE,
// whatever the batch; the last tile ends at the row's own key. page_size must be a multiple of KV_TILE. The loops over
// a tile end at a value known at run time only, which keeps compilers from unrolling HEAD_DIM4 * KV_TILE loads: on
// lavapipe that took 4 times as long to compile and 3 times as long to run at a head of 24.
const HEAD_DIM4 = 6u;
const KV_TILE = 4u;
// include attention_operands
@group(0) @binding(6) var<storage, read_write> attention_out: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> log_sum_exp: array<f32>;   // [rows, heads]
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let row = index / params.heads;
  if (row >= params.rows) { return; }
  let kv_head = (index % params.heads) / (params.heads / params.kv_heads);
  let position = rows[row].y;
  let page_table = rows[row].x * params.pages_per_slot;
  var query: array<vec4f, HEAD_DIM4>;
  var sums: array<vec4f, HEAD_DIM4>;
  for (var c = 0u; c < HEAD_DIM4; c++) { query[c] = q[index * HEAD_DIM4 + c] * params.scale; }
  var top = -3.0e38;
  var total = 0.0;
  for (var tile = 0u; tile <= position; tile += KV_TILE) {
    let page = slot_pages[page_table + tile / params.page_size];
    let base = ((page * params.kv_heads + kv_head) * params.page_size + tile % params.page_size) * HEAD_DIM4;
    let last = min(KV_TILE - 1u, position - tile);
    var scores: array<f32, KV_TILE>;
    var tile_top = top;
    for (var j = 0u; j <= last; j++) {
      let at = base + j * HEAD_DIM4;
      var score = vec4f(0.0);
      for (var c = 0u; c < HEAD_DIM4; c++) { score = fma(query[c], k_pages[at + c], score); }
      scores[j] = (score.x + score.y) + (score.z + score.w);
      tile_top = max(tile_top, scores[j]);
    }
    let shrink = exp(top - tile_top);
    top = tile_top;
    total *= shrink;
    for (var c = 0u; c < HEAD_DIM4; c++) { sums[c] *= shrink; }
    for (var j = 0u; j <= last; j++) {
      let weight = exp(scores[j] - top);
      total += weight;
      let at = base + j * HEAD_DIM4;
      for (var c = 0u; c < HEAD_DIM4; c++) { sums[c] = fma(vec4f(weight), v_pages[at + c], sums[c]); }
    }
  }
  for (var c = 0u; c < HEAD_DIM4; c++) { attention_out[index * HEAD_DIM4 + c] = sums[c] / total; }
  log_sum_exp[index] = top + log(total);
}
