// First backward pass of attention: row_statistics[row, head] = (log_sum_exp, dout . out). Owner: one invocation.
const HEAD_DIM4 = 6u;
struct Params {
  count: u32,         // rows * heads
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> attention_out: array<vec4f>;
@group(0) @binding(2) var<storage, read> dout: array<vec4f>;
@group(0) @binding(3) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(4) var<storage, read_write> row_statistics: array<vec2f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  if (index >= params.count) { return; }
  var sum = vec4f(0.0);
  for (var c = 0u; c < HEAD_DIM4; c++) {
    sum = fma(attention_out[index * HEAD_DIM4 + c], dout[index * HEAD_DIM4 + c], sum);
  }
  row_statistics[index] = vec2f(log_sum_exp[index], (sum.x + sum.y) + (sum.z + sum.w));
}
