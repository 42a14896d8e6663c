// AdamW (Loshchilov and Hutter 2019) over a flat run of parameters, with the gradient clipped to max_norm by the global norm:
//   g = gradient * min(1, max_norm / norm); m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2
//   w -= learning_rate * (m * correction1 / (sqrt(v * correction2) + epsilon) + weight_decay * w), correction_i = 1 / (1 - b_i^step).
// A norm that is not finite, or above skip_norm, changes nothing: the host reads the norm and says so. Owner of four elements: one invocation. No sum.
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
@group(0) @binding(3) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> first_moment: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> second_moment: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= params.count4) { return; }
  if ((bitcast<u32>(norm[0]) & 0x7f800000u) == 0x7f800000u || (params.skip_norm > 0.0 && norm[0] > params.skip_norm)) { return; }
  var factor = 1.0;
  if (params.max_norm > 0.0 && norm[0] > params.max_norm) { factor = params.max_norm / norm[0]; }
  let g = gradient[index] * factor;
  let m = params.beta1 * first_moment[index] + (1.0 - params.beta1) * g;
  let v = params.beta2 * second_moment[index] + (1.0 - params.beta2) * g * g;
  let decay = select(0.0, params.weight_decay, index < params.decay_end4);
  let w = weight[index];
  first_moment[index] = m;
  second_moment[index] = v;
  weight[index] = w - params.learning_rate * (m * params.correction1 / (sqrt(v * params.correction2) + params.epsilon) + decay * w);
}
