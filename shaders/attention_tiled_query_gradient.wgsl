enable subgroups;
// Second backward pass of attention for hardware: dq[row, head] = scale * sum_j p_j (dout . v_j - dout . out) k_j, as
// attention_query_gradient.wgsl, over query tiles as in attention_tiled.wgsl.
// Owner of dq[row, head, :]: a team of SLICES lanes, which owns VECTORS of the tile's vectors; keys ascending in one
// chain.
// unroll
// include attention_team
const VECTORS = 2u;
const LANES = 64u;
const SHARING = 2u;
const KEYS = 16u;     // staged at a time
// include attention_operands
// include attention_upstream
@group(0) @binding(8) var<storage, read_write> dq: array<vec4f>;

var<workgroup> key_tile: array<vec4f, KEYS * HEAD_DIM4>;
var<workgroup> value_tile: array<vec4f, KEYS * HEAD_DIM4>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = rows[params.tile_begin + group.x];   // first row, number of rows, slot, last position
  let kv_head = group.y;
  let page_table = tile.z * params.pages_per_slot;
  let slice = lane % SLICES;
  // A tile with more vectors than a workgroup holds is shared by several.
  let first_vector = (group.z * LANES + lane) / SLICES * VECTORS;
  if (group.z * LANES / SLICES * VECTORS >= tile.y * SHARING) { return; }
  var index: array<u32, VECTORS>;        // row * heads + head
  var position: array<u32, VECTORS>;
  var statistics: array<vec2f, VECTORS>;
  var query: array<array<vec4f, SLICE4>, VECTORS>;
  var upstream: array<array<vec4f, SLICE4>, VECTORS>;
  var sums: array<array<vec4f, SLICE4>, VECTORS>;
  for (var v = 0u; v < VECTORS; v++) {
    let row = tile.x + min((first_vector + v) / SHARING, tile.y - 1u);
    index[v] = row * params.heads + kv_head * SHARING + (first_vector + v) % SHARING;
    position[v] = rows[row].y;
    statistics[v] = row_statistics[index[v]];
    for (var c = 0u; c < SLICE4; c++) {
      query[v][c] = q[index[v] * HEAD_DIM4 + c * SLICES + slice] * params.scale;
      upstream[v][c] = dout[index[v] * HEAD_DIM4 + c * SLICES + slice];
    }
  }
  for (var first = 0u; first <= tile.w; first += KEYS) {
    workgroupBarrier();
    for (var i = lane; i < KEYS * HEAD_DIM4; i += LANES) {
      // Places behind the last key repeat it; their gradient is 0.
      let key = min(first + i / HEAD_DIM4, tile.w);
      let page = slot_pages[page_table + key / params.page_size];
      let at = ((page * params.kv_heads + kv_head) * params.page_size + key % params.page_size) * HEAD_DIM4;
      key_tile[i] = k_pages[at + i % HEAD_DIM4];
      value_tile[i] = v_pages[at + i % HEAD_DIM4];
    }
    workgroupBarrier();
    let end = min(KEYS, tile.w + 1u - first);
    for (var j = 0u; j < end; j += 1u) {
      var key: array<vec4f, SLICE4>;
      var score: array<f32, VECTORS>;
      var value: array<f32, VECTORS>;
      for (var v = 0u; v < VECTORS; v++) {
        score[v] = 0.0;
        value[v] = 0.0;
      }
      for (var c = 0u; c < SLICE4; c++) {
        key[c] = key_tile[j * HEAD_DIM4 + c * SLICES + slice];
        let own = value_tile[j * HEAD_DIM4 + c * SLICES + slice];
        for (var v = 0u; v < VECTORS; v++) {
          score[v] = chain4(query[v][c], key[c], score[v]);
          value[v] = chain4(upstream[v][c], own, value[v]);
        }
      }
      for (var v = 0u; v < VECTORS; v++) {
        let probability = exp(team_sum(score[v]) - statistics[v].x);
        let all = probability * (team_sum(value[v]) - statistics[v].y) * params.scale;
        let gradient = select(0.0, all, first + j <= position[v]);
        for (var c = 0u; c < SLICE4; c++) { sums[v][c] = fma(vec4f(gradient), key[c], sums[v][c]); }
      }
    }
  }
  for (var v = 0u; v < VECTORS; v++) {
    if (first_vector + v < tile.y * SHARING) {
      for (var c = 0u; c < SLICE4; c++) { dq[index[v] * HEAD_DIM4 + c * SLICES + slice] = sums[v][c]; }
    }
  }
}
