// AdamW (Loshchilov and Hutter 2019) on four parameters, with the gradient clipped to max_norm by the global norm:
//   g = gradient * min(1, max_norm / norm); m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2
//   w -= learning_rate * (m * correction1 / (sqrt(v * correction2) + epsilon) + weight_decay * w),
//   correction_i = 1 / (1 - b_i^step).
// A norm that is not finite, or above skip_norm, changes nothing: the host reads the norm and says so.
struct Params {
  count4: u32,
  decay_end4: u32,    // weight decay applies below this index only (not to gains and biases)
  learning_rate: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  correction1: f32,
  correction2: f32,
  max_norm: f32,      // 0 means no clipping
  skip_norm: f32,     // 0 means none
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> norm: array<f32>;

fn is_skipped() -> bool {
  let is_finite = (bitcast<u32>(norm[0]) & 0x7f800000u) != 0x7f800000u;
  return !is_finite || (params.skip_norm > 0.0 && norm[0] > params.skip_norm);
}

fn clipped_gradient(index: u32) -> vec4f {
  var factor = 1.0;
  if (params.max_norm > 0.0 && norm[0] > params.max_norm) { factor = params.max_norm / norm[0]; }
  return gradient[index] * factor;
}

fn next_first_moment(m: vec4f, g: vec4f) -> vec4f { return params.beta1 * m + (1.0 - params.beta1) * g; }
fn next_second_moment(v: vec4f, g: vec4f) -> vec4f { return params.beta2 * v + (1.0 - params.beta2) * g * g; }

fn next_weight(index: u32, w: vec4f, m: vec4f, v: vec4f) -> vec4f {
  let decay = select(0.0, params.weight_decay, index < params.decay_end4);
  let direction = m * params.correction1 / (sqrt(v * params.correction2) + params.epsilon);
  return w - params.learning_rate * (direction + decay * w);
}
