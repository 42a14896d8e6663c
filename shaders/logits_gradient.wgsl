// In place, logits become their gradient: dz[v] = c * (1[v = token] - softmax(z / temperature)[v]) / temperature, with
// one scalar c per row (the derivative of the loss with respect to the row's log-prob). Entry i owns row i. Padding
// columns up to logits_stride become 0. Owner of an element: one invocation.
// TRUNCATED = true: the softmax is over the logits at or above the entry's threshold, and the others' gradient is 0.
// ENTROPY = true: h = entropy_coefficients[entry], the derivative of the loss with respect to the row's entropy H, adds
// -h * p * (log p + H) / temperature.
const TRUNCATED = false;
const ENTROPY = false;
struct Params {
  entry_count: u32,
  vocabulary: u32,
  logits_stride: u32,
  inverse_temperature: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read> coefficients: array<f32>;
@group(0) @binding(3) var<storage, read> entropy_coefficients: array<f32>;
@group(0) @binding(4) var<storage, read> thresholds: array<f32>;
@group(0) @binding(5) var<storage, read_write> logits: array<f32>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let entry = index / params.logits_stride;
  if (entry >= params.entry_count) { return; }
  let id = index % params.logits_stride;
  if (id >= params.vocabulary) {
    logits[index] = 0.0;
    return;
  }
  let row = statistics[entry];
  let logit = logits[index];
  let chosen = select(0.0, 1.0, id == u32(row.w));
  let log_probability = logit * params.inverse_temperature - row.y;
  var probability = exp(log_probability);
  if (TRUNCATED) { probability = select(0.0, probability, logit >= thresholds[entry]); }
  var gradient = coefficients[entry] * (chosen - probability) * params.inverse_temperature;
  if (ENTROPY) {
    gradient -= entropy_coefficients[entry] * probability * (log_probability + row.z) * params.inverse_temperature;
  }
  logits[index] = gradient;
}
