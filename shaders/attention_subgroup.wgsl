enable subgroups;
// attention.wgsl with the keys and values of a query tile loaded once for the LANES vectors (rows x the SHARING query
// heads of one key head) of a subgroup. Same formula, owner and order of sums; keys that a vector does not see have
// weight 0 and change nothing.
// unroll
// include attention_subgroup_vectors
const KV_TILE = 4u;
@group(0) @binding(6) var<storage, read_write> attention_out: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> log_sum_exp: array<f32>;   // [rows, heads]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = rows[params.tile_begin + group.x];   // first row, number of rows, slot, last position
  let first = group.z * LANES;
  if (first >= tile.y * SHARING) { return; }
  let kv_head = group.y;
  let vector = vector_of(tile, kv_head, first + lane);
  let index = vector.index;
  let last_position = vector_of(tile, kv_head, first + LANES - 1u).position;
  let page_table = tile.z * params.pages_per_slot;
  var query: array<vec4f, HEAD_DIM4>;
  var sums: array<vec4f, HEAD_DIM4>;
  for (var c = 0u; c < HEAD_DIM4; c++) { query[c] = q[index * HEAD_DIM4 + c] * params.scale; }
  var held: array<vec4f, LOADS>;
  var top = -3.0e38;
  var total = 0.0;
  for (var begin = 0u; begin <= last_position; begin += KV_TILE) {
    let page = slot_pages[page_table + begin / params.page_size];
    let base = ((page * params.kv_heads + kv_head) * params.page_size + begin % params.page_size) * HEAD_DIM4;
    let last = min(KV_TILE - 1u, last_position - begin);
    var scores: array<f32, KV_TILE>;
    var tile_top = top;
    for (var j = 0u; j <= last; j++) {
      for (var l = 0u; l < LOADS; l++) {
        held[l] = k_pages[base + j * HEAD_DIM4 + min(l * LANES + lane, HEAD_DIM4 - 1u)];
      }
      var score = vec4f(0.0);
      for (var c = 0u; c < HEAD_DIM4; c++) { score = fma(query[c], subgroupBroadcast(held[c / LANES], c % LANES), score); }
      scores[j] = (score.x + score.y) + (score.z + score.w);
      tile_top = select(tile_top, max(tile_top, scores[j]), begin + j <= vector.position);
    }
    let shrink = select(exp(top - tile_top), 1.0, top == tile_top);
    top = tile_top;
    total *= shrink;
    for (var c = 0u; c < HEAD_DIM4; c++) { sums[c] *= shrink; }
    for (var j = 0u; j <= last; j++) {
      let weight = select(0.0, exp(scores[j] - top), begin + j <= vector.position);
      total += weight;
      for (var l = 0u; l < LOADS; l++) {
        held[l] = v_pages[base + j * HEAD_DIM4 + min(l * LANES + lane, HEAD_DIM4 - 1u)];
      }
      for (var c = 0u; c < HEAD_DIM4; c++) {
        sums[c] = fma(vec4f(weight), subgroupBroadcast(held[c / LANES], c % LANES), sums[c]);
      }
    }
  }
  if (first + lane >= tile.y * SHARING) { return; }
  for (var c = 0u; c < HEAD_DIM4; c++) { attention_out[index * HEAD_DIM4 + c] = sums[c] / total; }
  log_sum_exp[index] = top + log(total);
}
