enable subgroups;
// out[row, head] = softmax(scale * q . k) v over the keys at positions 0 .. position(row) of the row's own slot, and the
// row's log-sum-exp, as attention.wgsl, for hardware: keys and values are staged in workgroup memory once for a query
// tile, which is some consecutive rows of a slot x the SHARING query heads of one key head.
// Owner of out[row, head, :]: a team of SLICES lanes, which owns VECTORS of the tile's vectors. Order of sums:
// lib/attention_softmax. A tile with several splits keeps the merged sums in `attention_out` between them.
// unroll
// include attention_query_tile
// include attention_softmax
@group(0) @binding(6) var<storage, read_write> attention_out: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> log_sum_exp: array<f32>;   // [rows, heads]

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
  var query: array<array<vec4f, SLICE4>, VECTORS>;
  for (var v = 0u; v < VECTORS; v++) {
    let row = row_of(tile, first_vector + v);
    index[v] = row * params.heads + kv_head * SHARING + (first_vector + v) % SHARING;
    position[v] = rows[row].y;
    for (var c = 0u; c < SLICE4; c++) { query[v][c] = q[index[v] * HEAD_DIM4 + c * SLICES + slice] * params.scale; }
  }
  var merged_top: array<f32, VECTORS>;
  var merged_total: array<f32, VECTORS>;
  for (var v = 0u; v < VECTORS; v++) { merged_top[v] = LOWEST; }
  for (var split = 0u; split <= tile.w; split += SPLIT) {
    let last = min(split + SPLIT - 1u, tile.w);
    var top: array<f32, VECTORS>;
    var total: array<f32, VECTORS>;
    var sums: array<array<vec4f, SLICE4>, VECTORS>;
    for (var v = 0u; v < VECTORS; v++) {
      top[v] = LOWEST;
      total[v] = 0.0;
      for (var c = 0u; c < SLICE4; c++) { sums[v][c] = vec4f(0.0); }
    }
    for (var first = split; first <= last; first += KEYS) {
      stage_keys(tile, kv_head, first, lane);
      for (var begin = 0u; begin < KEYS / KV_TILE; begin++) {
        let offset = begin * KV_TILE;
        var scores: array<array<f32, VECTORS>, KV_TILE>;
        for (var j = 0u; j < KV_TILE; j++) {
          for (var v = 0u; v < VECTORS; v++) { scores[j][v] = 0.0; }
          for (var c = 0u; c < SLICE4; c++) {
            let key = key_tile[(offset + j) * HEAD_DIM4 + c * SLICES + slice];
            for (var v = 0u; v < VECTORS; v++) { scores[j][v] = chain4(query[v][c], key, scores[j][v]); }
          }
          for (var v = 0u; v < VECTORS; v++) { scores[j][v] = team_sum(scores[j][v]); }
        }
        for (var v = 0u; v < VECTORS; v++) {
          var tile_top = top[v];
          for (var j = 0u; j < KV_TILE; j++) {
            if (first + offset + j <= position[v]) { tile_top = max(tile_top, scores[j][v]); }
          }
          let kept = shrink(top[v], tile_top);
          top[v] = tile_top;
          for (var j = 0u; j < KV_TILE; j++) {
            scores[j][v] = select(0.0, exp(scores[j][v] - tile_top), first + offset + j <= position[v]);
          }
          let weight = (scores[0][v] + scores[1][v]) + (scores[2][v] + scores[3][v]);
          total[v] = fma(total[v], kept, weight);
          for (var c = 0u; c < SLICE4; c++) { sums[v][c] *= kept; }
        }
        for (var j = 0u; j < KV_TILE; j++) {
          for (var c = 0u; c < SLICE4; c++) {
            let value = value_tile[(offset + j) * HEAD_DIM4 + c * SLICES + slice];
            for (var v = 0u; v < VECTORS; v++) { sums[v][c] = fma(vec4f(scores[j][v]), value, sums[v][c]); }
          }
        }
      }
    }
    for (var v = 0u; v < VECTORS; v++) {
      let both_top = max(merged_top[v], top[v]);
      let kept = shrink(merged_top[v], both_top);
      let added = shrink(top[v], both_top);
      merged_top[v] = both_top;
      merged_total[v] = fma(total[v], added, merged_total[v] * kept);
      if (first_vector + v < tile.y * SHARING) {
        for (var c = 0u; c < SLICE4; c++) {
          let at = index[v] * HEAD_DIM4 + c * SLICES + slice;
          var value = sums[v][c];
          if (split > 0u) { value = fma(value, vec4f(added), attention_out[at] * kept); }
          if (last == tile.w) { value /= merged_total[v]; }
          attention_out[at] = value;
        }
        if (slice == 0u && last == tile.w) { log_sum_exp[index[v]] = merged_top[v] + log(merged_total[v]); }
      }
    }
  }
}
