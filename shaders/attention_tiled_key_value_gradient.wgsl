enable subgroups;
// Third backward pass of attention for hardware: dv[row, kv_head] = sum p dout and dk[row, kv_head] = scale * sum p
// (dout . v - d) q, as attention_key_value_gradient.wgsl, over key tiles: some consecutive rows of one sequence and one
// key head. Queries and upstream gradients are staged in workgroup memory once for all keys of a tile.
// Owner of dk and dv [row, kv_head, :]: a team of SLICES lanes, which owns VECTORS keys; rows ascending, and in each the
// query heads that share the key, ascending.
// unroll
// include attention_team
const VECTORS = 2u;
const LANES = 64u;
const SHARING = 2u;
const STAGED = 8u;    // query vectors staged at a time
// include attention_operands
// include attention_upstream
@group(0) @binding(8) var<storage, read_write> dkv: array<vec4f>;   // [rows, 2 * kv_heads, head_dim]: keys, then values

var<workgroup> query_tile: array<vec4f, STAGED * HEAD_DIM4>;
var<workgroup> upstream_tile: array<vec4f, STAGED * HEAD_DIM4>;
var<workgroup> statistics_tile: array<vec2f, STAGED>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = rows[params.tile_begin + group.x];   // first row, number of rows, slot, end of the sequence's rows
  let kv_head = group.y;
  let page_table = tile.z * params.pages_per_slot;
  let slice = lane % SLICES;
  let first_row = tile.x + (group.z * LANES + lane) / SLICES * VECTORS;
  if (group.z * LANES / SLICES * VECTORS >= tile.y) { return; }
  let last_row = tile.x + tile.y - 1u;
  var key: array<array<vec4f, SLICE4>, VECTORS>;
  var value: array<array<vec4f, SLICE4>, VECTORS>;
  var key_sums: array<array<vec4f, SLICE4>, VECTORS>;
  var value_sums: array<array<vec4f, SLICE4>, VECTORS>;
  for (var v = 0u; v < VECTORS; v++) {
    let position = rows[min(first_row + v, last_row)].y;
    let page = slot_pages[page_table + position / params.page_size];
    let at = ((page * params.kv_heads + kv_head) * params.page_size + position % params.page_size) * HEAD_DIM4 + slice;
    for (var c = 0u; c < SLICE4; c++) {
      key[v][c] = k_pages[at + c * SLICES] * params.scale;
      value[v][c] = v_pages[at + c * SLICES];
    }
  }
  let vectors = (tile.w - tile.x) * SHARING;   // query vectors of the sequence's rows from the tile's first row on
  for (var first = 0u; first < vectors; first += STAGED) {
    workgroupBarrier();
    for (var i = lane; i < STAGED * HEAD_DIM4; i += LANES) {
      let vector = min(first + i / HEAD_DIM4, vectors - 1u);
      let index = (tile.x + vector / SHARING) * params.heads + kv_head * SHARING + vector % SHARING;
      query_tile[i] = q[index * HEAD_DIM4 + i % HEAD_DIM4];
      upstream_tile[i] = dout[index * HEAD_DIM4 + i % HEAD_DIM4];
      if (i % HEAD_DIM4 == 0u) { statistics_tile[i / HEAD_DIM4] = row_statistics[index]; }
    }
    workgroupBarrier();
    let end = min(STAGED, vectors - first);
    for (var j = 0u; j < end; j += 1u) {
      let row = tile.x + (first + j) / SHARING;
      let statistics = statistics_tile[j];
      var query: array<vec4f, SLICE4>;
      var upstream: array<vec4f, SLICE4>;
      var score: array<f32, VECTORS>;
      var product: array<f32, VECTORS>;
      for (var v = 0u; v < VECTORS; v++) {
        score[v] = 0.0;
        product[v] = 0.0;
      }
      for (var c = 0u; c < SLICE4; c++) {
        query[c] = query_tile[j * HEAD_DIM4 + c * SLICES + slice];
        upstream[c] = upstream_tile[j * HEAD_DIM4 + c * SLICES + slice];
        for (var v = 0u; v < VECTORS; v++) {
          score[v] = chain4(query[c], key[v][c], score[v]);
          product[v] = chain4(upstream[c], value[v][c], product[v]);
        }
      }
      for (var v = 0u; v < VECTORS; v++) {
        let seen = first_row + v <= row;
        let probability = select(0.0, exp(team_sum(score[v]) - statistics.x), seen);
        let gradient = probability * (team_sum(product[v]) - statistics.y) * params.scale;
        for (var c = 0u; c < SLICE4; c++) {
          value_sums[v][c] = fma(vec4f(probability), upstream[c], value_sums[v][c]);
          key_sums[v][c] = fma(vec4f(gradient), query[c], key_sums[v][c]);
        }
      }
    }
  }
  for (var v = 0u; v < VECTORS; v++) {
    if (first_row + v <= last_row) {
      let key_to = ((first_row + v) * 2u * params.kv_heads + kv_head) * HEAD_DIM4 + slice;
      for (var c = 0u; c < SLICE4; c++) {
        dkv[key_to + c * SLICES] = key_sums[v][c];
        dkv[key_to + params.kv_heads * HEAD_DIM4 + c * SLICES] = value_sums[v][c];
      }
    }
  }
}
