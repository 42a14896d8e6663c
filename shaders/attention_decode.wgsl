enable subgroups;
// out[row, head] and log_sum_exp[row, head] of a single row, with the order and so the bits of attention_tiled.wgsl: for
// batches in which each slot has one row or few. A workgroup has one row and one key head, and reads each of its keys
// and values once.
// Scores: a team of SLICES lanes per key. Running maxima and totals: one lane per tile of KV_TILE keys, then one per
// query head. Owner of out[row, head, 4 c .. 4 c + 3]: one lane, keys ascending.
// unroll
// include attention_team
// include attention_softmax
const LANES = 64u;
const SHARING = 2u;
const OWNED = 1u;     // vec4 of the output per lane
// include attention_operands
@group(0) @binding(6) var<storage, read_write> attention_out: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> log_sum_exp: array<f32>;   // [rows, heads]

const TILES = SPLIT / KV_TILE;
var<workgroup> query: array<vec4f, SHARING * HEAD_DIM4>;
var<workgroup> scores: array<f32, SHARING * SPLIT>;         // then weights
var<workgroup> tops: array<f32, SHARING * TILES>;           // maximum up to and with a tile
var<workgroup> shrinks: array<f32, SHARING * TILES>;        // what the sums before a tile shrink by
var<workgroup> tile_totals: array<f32, SHARING * TILES>;
var<workgroup> merged: array<vec4f, SHARING>;               // merged top, merged total, kept, added

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = rows[params.tile_begin + group.x].x;
  let kv_head = group.y;
  let position = rows[row].y;
  let page_table = rows[row].x * params.pages_per_slot;
  let first_index = row * params.heads + kv_head * SHARING;
  let slice = lane % SLICES;
  for (var i = lane; i < SHARING * HEAD_DIM4; i += LANES) { query[i] = q[first_index * HEAD_DIM4 + i] * params.scale; }
  for (var v = lane; v < SHARING; v += LANES) { merged[v] = vec4f(LOWEST, 0.0, 0.0, 0.0); }
  var sums: array<vec4f, OWNED>;
  for (var split = 0u; split <= position; split += SPLIT) {
    let count = min(SPLIT, position + 1u - split);
    let tiles = (count + KV_TILE - 1u) / KV_TILE;
    workgroupBarrier();
    // All lanes of a team take the same keys, and all teams as many turns.
    for (var turn = 0u; turn < tiles * KV_TILE; turn += LANES / SLICES) {
      let key = turn + lane / SLICES;
      let place = min(split + key, position);
      let page = slot_pages[page_table + place / params.page_size];
      let at = ((page * params.kv_heads + kv_head) * params.page_size + place % params.page_size) * HEAD_DIM4 + slice;
      var own: array<vec4f, SLICE4>;
      for (var c = 0u; c < SLICE4; c++) { own[c] = k_pages[at + c * SLICES]; }
      for (var v = 0u; v < SHARING; v++) {
        var score = 0.0;
        for (var c = 0u; c < SLICE4; c++) { score = chain4(query[v * HEAD_DIM4 + c * SLICES + slice], own[c], score); }
        score = team_sum(score);
        if (slice == 0u && key < SPLIT) { scores[v * SPLIT + key] = select(LOWEST, score, split + key <= position); }
      }
    }
    workgroupBarrier();
    for (var i = lane; i < SHARING * tiles; i += LANES) {
      let place = i / tiles * SPLIT + i % tiles * KV_TILE;
      var top = scores[place];
      for (var j = 1u; j < KV_TILE; j++) { top = max(top, scores[place + j]); }
      tops[i / tiles * TILES + i % tiles] = top;
    }
    workgroupBarrier();
    for (var v = lane; v < SHARING; v += LANES) {
      var top = LOWEST;
      for (var tile = 0u; tile < tiles; tile += 1u) {
        let tile_top = max(top, tops[v * TILES + tile]);
        shrinks[v * TILES + tile] = shrink(top, tile_top);
        tops[v * TILES + tile] = tile_top;
        top = tile_top;
      }
    }
    workgroupBarrier();
    for (var i = lane; i < SHARING * tiles; i += LANES) {
      let place = i / tiles * SPLIT + i % tiles * KV_TILE;
      let top = tops[i / tiles * TILES + i % tiles];
      var weight: array<f32, KV_TILE>;
      for (var j = 0u; j < KV_TILE; j++) {
        weight[j] = select(0.0, exp(scores[place + j] - top), split + i % tiles * KV_TILE + j <= position);
        scores[place + j] = weight[j];
      }
      tile_totals[i / tiles * TILES + i % tiles] =
        (weight[0] + weight[1]) + (weight[2] + weight[3]);
    }
    workgroupBarrier();
    for (var v = lane; v < SHARING; v += LANES) {
      var total = 0.0;
      for (var tile = 0u; tile < tiles; tile += 1u) {
        total = fma(total, shrinks[v * TILES + tile], tile_totals[v * TILES + tile]);
      }
      let top = tops[v * TILES + tiles - 1u];
      let both_top = max(merged[v].x, top);
      let kept = shrink(merged[v].x, both_top);
      let added = shrink(top, both_top);
      merged[v] = vec4f(both_top, fma(total, added, merged[v].y * kept), kept, added);
    }
    workgroupBarrier();
    for (var o = 0u; o < OWNED; o++) {
      let item = min(lane + o * LANES, SHARING * HEAD_DIM4 - 1u);
      let v = item / HEAD_DIM4;
      var sum = vec4f(0.0);
      for (var tile = 0u; tile < tiles; tile += 1u) {
        sum *= shrinks[v * TILES + tile];
        for (var j = 0u; j < KV_TILE; j++) {
          let place = min(split + tile * KV_TILE + j, position);
          let page = slot_pages[page_table + place / params.page_size];
          let at = ((page * params.kv_heads + kv_head) * params.page_size + place % params.page_size) * HEAD_DIM4;
          sum = fma(vec4f(scores[v * SPLIT + tile * KV_TILE + j]), v_pages[at + item % HEAD_DIM4], sum);
        }
      }
      if (split > 0u) { sum = fma(sum, vec4f(merged[v].w), sums[o] * merged[v].z); }
      sums[o] = sum;
    }
  }
  for (var o = 0u; o < OWNED; o++) {
    let item = lane + o * LANES;
    if (item < SHARING * HEAD_DIM4) {
      attention_out[first_index * HEAD_DIM4 + item] = sums[o] / merged[item / HEAD_DIM4].y;
    }
  }
  for (var v = lane; v < SHARING; v += LANES) { log_sum_exp[first_index + v] = merged[v].x + log(merged[v].y); }
}
