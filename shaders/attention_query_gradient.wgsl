// Second backward pass of attention: dq[row, head] = scale * sum_j p_j (dout . v_j - dout . out) k_j,
// p_j = exp(scale * q . k_j - log_sum_exp), over the keys the row saw, ascending. The probabilities are computed again
// instead of stored (Dao 2022). Owner of dq[row, head, :]: one invocation.
const HEAD_DIM4 = 6u;
// include attention_operands
// include attention_upstream
@group(0) @binding(8) var<storage, read_write> dq: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let row = index / params.heads;
  if (row >= params.rows) { return; }
  let kv_head = (index % params.heads) / (params.heads / params.kv_heads);
  let page_table = rows[row].x * params.pages_per_slot;
  var query: array<vec4f, HEAD_DIM4>;
  var upstream: array<vec4f, HEAD_DIM4>;
  var sums: array<vec4f, HEAD_DIM4>;
  for (var c = 0u; c < HEAD_DIM4; c++) {
    query[c] = q[index * HEAD_DIM4 + c] * params.scale;
    upstream[c] = dout[index * HEAD_DIM4 + c];
  }
  let statistics = row_statistics[index];
  for (var key = 0u; key <= rows[row].y; key++) {
    let page = slot_pages[page_table + key / params.page_size];
    let at = ((page * params.kv_heads + kv_head) * params.page_size + key % params.page_size) * HEAD_DIM4;
    var score = vec4f(0.0);
    var value = vec4f(0.0);
    for (var c = 0u; c < HEAD_DIM4; c++) {
      score = fma(query[c], k_pages[at + c], score);
      value = fma(upstream[c], v_pages[at + c], value);
    }
    let probability = exp((score.x + score.y) + (score.z + score.w) - statistics.x);
    let gradient = probability * ((value.x + value.y) + (value.z + value.w) - statistics.y) * params.scale;
    for (var c = 0u; c < HEAD_DIM4; c++) { sums[c] = fma(vec4f(gradient), k_pages[at + c], sums[c]); }
  }
  for (var c = 0u; c < HEAD_DIM4; c++) { dq[index * HEAD_DIM4 + c] = sums[c]; }
}
