// Third backward pass of attention: dv[row, kv_head] = sum p dout and dk[row, kv_head] = scale * sum p (dout . v - d) q
// with d = dout . out, over the rows of the same sequence at or after this row, ascending, and in each over the query
// heads that share the key (grouped-query attention), ascending.
// Owner of dk and dv [row, kv_head, :]: one invocation; the two share a buffer, which keeps to the 8 storage buffers
// that every device has. In training a sequence's rows stand together in ascending positions up to rows[row].z,
// exclusive.
const HEAD_DIM4 = 6u;
// include attention_operands
// include attention_upstream
@group(0) @binding(8) var<storage, read_write> dkv: array<vec4f>;   // [rows, 2 * kv_heads, head_dim]: keys, then values
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let row = index / params.kv_heads;
  if (row >= params.rows) { return; }
  let kv_head = index % params.kv_heads;
  let sharing = params.heads / params.kv_heads;
  let position = rows[row].y;
  let page = slot_pages[rows[row].x * params.pages_per_slot + position / params.page_size];
  let own = ((page * params.kv_heads + kv_head) * params.page_size + position % params.page_size) * HEAD_DIM4;
  var key: array<vec4f, HEAD_DIM4>;
  var value: array<vec4f, HEAD_DIM4>;
  var key_sums: array<vec4f, HEAD_DIM4>;
  var value_sums: array<vec4f, HEAD_DIM4>;
  for (var c = 0u; c < HEAD_DIM4; c++) {
    key[c] = k_pages[own + c] * params.scale;
    value[c] = v_pages[own + c];
  }
  for (var later = row; later < rows[row].z; later++) {
    for (var s = 0u; s < sharing; s++) {
      let query_index = later * params.heads + kv_head * sharing + s;
      let at = query_index * HEAD_DIM4;
      var score = vec4f(0.0);
      var product = vec4f(0.0);
      for (var c = 0u; c < HEAD_DIM4; c++) {
        score = fma(q[at + c], key[c], score);
        product = fma(dout[at + c], value[c], product);
      }
      let statistics = row_statistics[query_index];
      let probability = exp((score.x + score.y) + (score.z + score.w) - statistics.x);
      let gradient = probability * ((product.x + product.y) + (product.z + product.w) - statistics.y) * params.scale;
      for (var c = 0u; c < HEAD_DIM4; c++) {
        value_sums[c] = fma(vec4f(probability), dout[at + c], value_sums[c]);
        key_sums[c] = fma(vec4f(gradient), q[at + c], key_sums[c]);
      }
    }
  }
  let key_to = (row * 2u * params.kv_heads + kv_head) * HEAD_DIM4;
  for (var c = 0u; c < HEAD_DIM4; c++) {
    dkv[key_to + c] = key_sums[c];
    dkv[key_to + params.kv_heads * HEAD_DIM4 + c] = value_sums[c];
  }
}
