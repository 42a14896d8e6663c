// Draws the next token of each entry: argmax over the kept logits z of z / temperature + g, g = -log(-log(u)) (the
// Gumbel-max trick), ties to the lower id. u comes from Philox with key = seed and counter = (token id, position of the
// new token, trajectory id, 0): the draw depends on nothing else. temperature 0 is greedy: g is left out.
// Kept are the logits at or above the entry's threshold, the highest of
//   top-k:  the k-th largest logit (equal logits are all kept);
//   top-p:  the largest threshold whose tokens hold at least top_p of the probability (Holtzman et al. 2020), over what
//           top-k kept;
//   min-p:  max + temperature * log(min_p).
// TRUNCATED = false keeps everything and leaves the searches out. Both searches halve the range of the logits' bit
// patterns, so they end exactly, after 32 steps.
// Owner of an entry: ROW_LANES invocations. ids at or above `vocabulary` (padding) are never drawn.
const TRUNCATED = false;
struct Params {
  entry_count: u32,
  vocabulary: u32,
  logits_stride: u32,
  slot_length: u32,
  seed_low: u32,
  seed_high: u32,
  inverse_temperature: f32,   // 0 means greedy
  top_k: u32,                 // 0 means all
  top_p: f32,
  min_p_log: f32,             // log(min_p), at most 0; below -80 means off
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> entries: array<vec4u>;   // row of logits, slot, position, trajectory id
@group(0) @binding(3) var<storage, read_write> slot_tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> thresholds: array<f32>;  // [entries], for the log-prob
// include row_reduce
// include philox

const LOWEST = -3.0e38;

// Floats in the order of unsigned integers.
fn ordered(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}
fn unordered(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key & 0x80000000u) != 0u));
}

fn count_at_least(base: u32, threshold: f32, invocation: Invocation) -> f32 {
  var count = 0.0;
  for (var v = row_lane(invocation); v < params.vocabulary; v += ROW_LANES) {
    count += select(0.0, 1.0, logits[base + v] >= threshold);
  }
  return row_sum(count, invocation);
}
fn mass_at_least(base: u32, threshold: f32, top: f32, inverse_temperature: f32, invocation: Invocation) -> f32 {
  var mass = 0.0;
  for (var v = row_lane(invocation); v < params.vocabulary; v += ROW_LANES) {
    let logit = logits[base + v];
    mass += select(0.0, exp((logit - top) * inverse_temperature), logit >= threshold);
  }
  return row_sum(mass, invocation);
}

@compute @workgroup_size(ROW_LANES * ROWS_PER_GROUP)
fn main(invocation: Invocation) {
  let requested = row_of(invocation);
  let entry = min(requested, params.entry_count - 1u);
  let lane = row_lane(invocation);
  let base = entries[entry].x * params.logits_stride;
  let greedy = params.inverse_temperature == 0.0;
  let inverse_temperature = select(params.inverse_temperature, 1.0, greedy);

  var threshold = LOWEST;
  if (TRUNCATED) {
    var top = LOWEST;
    for (var v = lane; v < params.vocabulary; v += ROW_LANES) { top = max(top, logits[base + v]); }
    top = row_max(top, invocation);
    if (params.top_k > 0u && params.top_k < params.vocabulary) {
      var low = ordered(LOWEST);
      var high = ordered(top);
      for (var step = 0u; step < 32u; step++) {
        let middle = low + (high - low + 1u) / 2u;
        let count = count_at_least(base, unordered(middle), invocation);
        if (count >= f32(params.top_k)) { low = middle; } else { high = select(middle - 1u, low, low == high); }
      }
      threshold = unordered(low);
    }
    if (params.top_p < 1.0) {
      let wanted = params.top_p * mass_at_least(base, threshold, top, inverse_temperature, invocation);
      var low = ordered(threshold);
      var high = ordered(top);
      for (var step = 0u; step < 32u; step++) {
        let middle = low + (high - low + 1u) / 2u;
        let mass = mass_at_least(base, unordered(middle), top, inverse_temperature, invocation);
        if (mass >= wanted) { low = middle; } else { high = select(middle - 1u, low, low == high); }
      }
      threshold = unordered(low);
    }
    if (params.min_p_log > -80.0) { threshold = max(threshold, top + params.min_p_log / inverse_temperature); }
  }

  let position = entries[entry].z;
  var best = LOWEST;
  var best_id = 0xffffffffu;
  for (var v = lane; v < params.vocabulary; v += ROW_LANES) {
    let logit = logits[base + v];
    if (logit < threshold) { continue; }
    var score = logit * inverse_temperature;
    if (!greedy) {
      let word = philox(vec4u(v, position, entries[entry].w, 0u), vec2u(params.seed_low, params.seed_high)).x;
      score += gumbel(word);
    }
    if (best_id == 0xffffffffu || score > best) {
      best = score;
      best_id = v;
    }
  }
  let winner = row_max(select(best, LOWEST, best_id == 0xffffffffu), invocation);
  // Lowest id among the lanes that hold the winning score; ids are below 2^24, so f32 holds them exactly.
  let mine = select(-16777216.0, -f32(best_id), best_id != 0xffffffffu && best == winner);
  let chosen = u32(-row_max(mine, invocation));
  if (requested < params.entry_count && lane == 0u) {
    slot_tokens[entries[entry].y * params.slot_length + position] = chosen;
    thresholds[entry] = threshold;
  }
}
