// For each entry the log-prob of its token under softmax over the kept logits (z / temperature, z >= threshold), the
// log-sum-exp, and the entropy H = lse - sum p z / temperature; and the token's id, plus 1/2 where it is the most
// probable. Sampling and training run this same program, which is what makes their log-probs equal.
// Owner of an entry: ROW_LANES invocations, ids in strides of ROW_LANES, summed in blocks of BLOCK and then over the
// blocks, then a tree: one chain of 150,000 f32 sums would err by 1e-5.
const BLOCK = 512u;
struct Params {
  entry_count: u32,
  vocabulary: u32,
  logits_stride: u32,
  slot_length: u32,
  inverse_temperature: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> entries: array<vec4u>;   // row of logits, slot, position, trajectory id
@group(0) @binding(3) var<storage, read> slot_tokens: array<u32>;
@group(0) @binding(4) var<storage, read> thresholds: array<f32>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec4f>;
// include row_reduce

@compute @workgroup_size(ROW_LANES * ROWS_PER_GROUP)
fn main(invocation: Invocation) {
  let requested = row_of(invocation);
  let entry = min(requested, params.entry_count - 1u);
  let lane = row_lane(invocation);
  let base = entries[entry].x * params.logits_stride;
  let threshold = thresholds[entry];
  var top = -3.0e38;
  for (var v = lane; v < params.vocabulary; v += ROW_LANES) { top = max(top, logits[base + v]); }
  top = row_max(top, invocation);
  var mass = 0.0;
  var moment = 0.0;
  for (var begin = lane; begin < params.vocabulary; begin += ROW_LANES * BLOCK) {
    var block_mass = 0.0;
    var block_moment = 0.0;
    for (var v = begin; v < min(begin + ROW_LANES * BLOCK, params.vocabulary); v += ROW_LANES) {
      let logit = logits[base + v];
      let centred = (logit - top) * params.inverse_temperature;
      let weight = select(0.0, exp(centred), logit >= threshold);
      block_mass += weight;
      block_moment += weight * centred;
    }
    mass += block_mass;
    moment += block_moment;
  }
  mass = row_sum(mass, invocation);
  moment = row_sum(moment, invocation);
  if (requested >= params.entry_count || lane != 0u) { return; }
  let token = slot_tokens[entries[entry].y * params.slot_length + entries[entry].z];
  let log_mass = log(mass);
  let log_prob = (logits[base + token] - top) * params.inverse_temperature - log_mass;
  let log_sum_exp = top * params.inverse_temperature + log_mass;
  let id = f32(token) + select(0.0, 0.5, logits[base + token] == top);
  statistics[entry] = vec4f(log_prob, log_sum_exp, log_mass - moment / mass, id);
}
