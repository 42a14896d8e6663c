enable subgroups;
// attention_query_gradient.wgsl with loads shared through the subgroup, over query tiles as in attention_subgroup.wgsl.
// Same formula, owner and order of sums.
// unroll
// include shared_loads
const SHARING = 2u;
// include attention_operands
// include attention_upstream
@group(0) @binding(8) var<storage, read_write> dq: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = rows[params.tile_begin + group.x];   // first row, number of rows, slot, last position
  let vectors = tile.y * SHARING;
  let first = group.z * LANES;
  if (first >= vectors) { return; }
  let kv_head = group.y;
  let own = min(first + lane, vectors - 1u);
  let first_position = tile.w + 1u - tile.y;
  let last_position = first_position + min(first + LANES - 1u, vectors - 1u) / SHARING;
  let position = first_position + own / SHARING;
  let index = (tile.x + own / SHARING) * params.heads + kv_head * SHARING + own % SHARING;
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
    let gradient = select(0.0, all, key <= position);
    for (var c = 0u; c < HEAD_DIM4; c++) {
      sums[c] = fma(vec4f(gradient), subgroupBroadcast(held_key[c / LANES], c % LANES), sums[c]);
    }
  }
  if (first + lane >= vectors) { return; }
  for (var c = 0u; c < HEAD_DIM4; c++) { dq[index * HEAD_DIM4 + c] = sums[c]; }
}
