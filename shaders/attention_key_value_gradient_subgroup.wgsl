enable subgroups;
// attention_key_value_gradient.wgsl with the queries and upstream gradients loaded once for the LANES keys of a
// subgroup, over key tiles. Same formula, owner and order of sums.
// unroll
// include shared_loads
const SHARING = 2u;
// include attention_operands
// include attention_upstream
@group(0) @binding(8) var<storage, read_write> dkv: array<vec4f>;   // [rows, 2 * kv_heads, head_dim]: keys, then values

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = rows[params.tile_begin + group.x];   // first row, number of rows, slot, end of the sequence's rows
  let first = group.z * LANES;
  if (first >= tile.y) { return; }
  let kv_head = group.y;
  let row = tile.x + min(first + lane, tile.y - 1u);
  let position = rows[row].y;
  let page = slot_pages[tile.z * params.pages_per_slot + position / params.page_size];
  let own = ((page * params.kv_heads + kv_head) * params.page_size + position % params.page_size) * HEAD_DIM4;
  var key: array<vec4f, HEAD_DIM4>;
  var value: array<vec4f, HEAD_DIM4>;
  var key_sums: array<vec4f, HEAD_DIM4>;
  var value_sums: array<vec4f, HEAD_DIM4>;
  for (var c = 0u; c < HEAD_DIM4; c++) {
    key[c] = k_pages[own + c] * params.scale;
    value[c] = v_pages[own + c];
  }
  var held_query: array<vec4f, LOADS>;
  var held_upstream: array<vec4f, LOADS>;
  let earliest = (tile.x + first) * SHARING;
  for (var vector = earliest; vector < tile.w * SHARING; vector++) {
    let later = vector / SHARING;
    let query_index = later * params.heads + kv_head * SHARING + vector % SHARING;
    for (var l = 0u; l < LOADS; l++) {
      held_query[l] = q[query_index * HEAD_DIM4 + min(l * LANES + lane, HEAD_DIM4 - 1u)];
      held_upstream[l] = dout[query_index * HEAD_DIM4 + min(l * LANES + lane, HEAD_DIM4 - 1u)];
    }
    var score = vec4f(0.0);
    var product = vec4f(0.0);
    for (var c = 0u; c < HEAD_DIM4; c++) {
      score = fma(subgroupBroadcast(held_query[c / LANES], c % LANES), key[c], score);
      product = fma(subgroupBroadcast(held_upstream[c / LANES], c % LANES), value[c], product);
    }
    let statistics = row_statistics[query_index];
    let seen = row <= later;
    let probability = select(0.0, exp((score.x + score.y) + (score.z + score.w) - statistics.x), seen);
    let gradient = probability * ((product.x + product.y) + (product.z + product.w) - statistics.y) * params.scale;
    for (var c = 0u; c < HEAD_DIM4; c++) {
      value_sums[c] = fma(vec4f(probability), subgroupBroadcast(held_upstream[c / LANES], c % LANES), value_sums[c]);
      key_sums[c] = fma(vec4f(gradient), subgroupBroadcast(held_query[c / LANES], c % LANES), key_sums[c]);
    }
  }
  if (first + lane >= tile.y) { return; }
  let key_to = (row * 2u * params.kv_heads + kv_head) * HEAD_DIM4;
  for (var c = 0u; c < HEAD_DIM4; c++) {
    dkv[key_to + c] = key_sums[c];
    dkv[key_to + params.kv_heads * HEAD_DIM4 + c] = value_sums[c];
  }
}
