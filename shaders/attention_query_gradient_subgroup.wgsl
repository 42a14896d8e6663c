enable subgroups;
// attention_query_gradient.wgsl with loads shared through the subgroup, over query tiles as in attention_subgroup.wgsl.
// Same formula, owner and order of sums.
// unroll
// include attention_subgroup_vectors
// include attention_upstream
@group(0) @binding(8) var<storage, read_write> dq: array<vec4f>;

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
  var upstream: array<vec4f, HEAD_DIM4>;
  var sums: array<vec4f, HEAD_DIM4>;
  for (var c = 0u; c < HEAD_DIM4; c++) {
    query[c] = q[index * HEAD_DIM4 + c] * params.scale;
    upstream[c] = dout[index * HEAD_DIM4 + c];
  }
  let statistics = row_statistics[index];
  var held_key: array<vec4f, LOADS>;
  var held_value: array<vec4f, LOADS>;
  for (var key = 0u; key <= last_position; key++) {
    let page = slot_pages[page_table + key / params.page_size];
    let at = ((page * params.kv_heads + kv_head) * params.page_size + key % params.page_size) * HEAD_DIM4;
    for (var l = 0u; l < LOADS; l++) {
      held_key[l] = k_pages[at + min(l * LANES + lane, HEAD_DIM4 - 1u)];
      held_value[l] = v_pages[at + min(l * LANES + lane, HEAD_DIM4 - 1u)];
    }
    var score = vec4f(0.0);
    var value = vec4f(0.0);
    for (var c = 0u; c < HEAD_DIM4; c++) {
      score = fma(query[c], subgroupBroadcast(held_key[c / LANES], c % LANES), score);
      value = fma(upstream[c], subgroupBroadcast(held_value[c / LANES], c % LANES), value);
    }
    let probability = exp((score.x + score.y) + (score.z + score.w) - statistics.x);
    let all = probability * ((value.x + value.y) + (value.z + value.w) - statistics.y) * params.scale;
    let gradient = select(0.0, all, key <= vector.position);
    for (var c = 0u; c < HEAD_DIM4; c++) {
      sums[c] = fma(vec4f(gradient), subgroupBroadcast(held_key[c / LANES], c % LANES), sums[c]);
    }
  }
  if (first + lane >= tile.y * SHARING) { return; }
  for (var c = 0u; c < HEAD_DIM4; c++) { dq[index * HEAD_DIM4 + c] = sums[c]; }
}
