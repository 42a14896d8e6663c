enable subgroups;
// Second backward pass of attention for hardware: dq[row, head] = scale * sum_j p_j (dout . v_j - dout . out) k_j, as
// attention_query_gradient.wgsl, over query tiles as in attention_tiled.wgsl.
// Owner of dq[row, head, :]: a team of SLICES lanes, which owns VECTORS of the tile's vectors; keys ascending in one
// chain.
// unroll
// include attention_query_tile
// include attention_upstream
@group(0) @binding(8) var<storage, read_write> dq: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = query_tile(group);
  let kv_head = group.y;
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
    let row = row_of(tile, first_vector + v);
    index[v] = row * params.heads + kv_head * SHARING + (first_vector + v) % SHARING;
    position[v] = rows[row].y;
    statistics[v] = row_statistics[index[v]];
    for (var c = 0u; c < SLICE4; c++) {
      query[v][c] = q[index[v] * HEAD_DIM4 + c * SLICES + slice] * params.scale;
      upstream[v][c] = dout[index[v] * HEAD_DIM4 + c * SLICES + slice];
    }
  }
  for (var first = 0u; first <= tile.w; first += KEYS) {
    stage_keys(tile, kv_head, first, lane);
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
