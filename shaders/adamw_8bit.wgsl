// AdamW over a flat run of parameters with moments in blocks of 256 bytes: value = level[byte] * scale of the block.
//   first moment: 7 bits of magnitude and a sign (bit 7); second moment: 8 bits of magnitude.
//   Levels: 0, then up to 1 by equal ratios.
// After the step a block's scale is its largest magnitude (0 below 2^-100), and a value's byte is the number of
// midpoints * scale below its magnitude; a second moment above 0 has at least byte 1.
// Owner of a block: one workgroup; of four of its values: one lane. No sum; the maximum has no order.
// include adamw_step
@group(0) @binding(3) var<storage, read> levels: array<f32>;   // 128 of the first moment, 256 of the second
@group(0) @binding(4) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> first_bytes: array<u32>;
@group(0) @binding(6) var<storage, read_write> second_bytes: array<u32>;
@group(0) @binding(7) var<storage, read_write> first_scales: array<f32>;
@group(0) @binding(8) var<storage, read_write> second_scales: array<f32>;
// include invocation

const SECOND = 128u;
var<workgroup> table: array<f32, 384>;
var<workgroup> largest: array<vec2f, 64>;

fn largest_of(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

fn level_of(magnitude: f32, scale: f32, begin: u32, count: u32) -> u32 {
  if (scale == 0.0) { return 0u; }
  var low = 0u;
  var high = count - 1u;
  while (low < high) {
    let middle = (low + high) / 2u;
    let midpoint = (table[begin + middle] + table[begin + middle + 1u]) * 0.5;
    if (magnitude > midpoint * scale) { low = middle + 1u; } else { high = middle; }
  }
  return low;
}

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let block = workgroup_of(invocation);
  let index = element_of(invocation);
  let lane = invocation.lane;
  for (var i = lane; i < 384u; i += 64u) { table[i] = levels[i]; }
  workgroupBarrier();
  let inside = index < params.count4;
  var m = vec4f(0.0);
  var v = vec4f(0.0);
  if (inside) {
    let bytes = (vec4u(first_bytes[index]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
    let squares = (vec4u(second_bytes[index]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
    for (var k = 0u; k < 4u; k++) {
      let magnitude = table[bytes[k] & 127u] * first_scales[block];
      m[k] = select(magnitude, -magnitude, bytes[k] > 127u);
      v[k] = table[SECOND + squares[k]] * second_scales[block];
    }
    let g = clipped_gradient(index);
    m = next_first_moment(m, g);
    v = next_second_moment(v, g);
  }
  largest[lane] = vec2f(largest_of(abs(m)), largest_of(v));
  workgroupBarrier();
  for (var stride = 32u; stride > 0u; stride /= 2u) {
    if (lane < stride) { largest[lane] = max(largest[lane], largest[lane + stride]); }
    workgroupBarrier();
  }
  let most = largest[0];
  if (!inside || is_skipped()) { return; }
  let scale = select(most, vec2f(0.0), most < vec2f(0x1p-100));
  var first = 0u;
  var second = 0u;
  for (var k = 0u; k < 4u; k++) {
    var byte = level_of(abs(m[k]), scale.x, 0u, 128u);
    if (m[k] < 0.0 && byte > 0u) { byte += 128u; }
    first |= byte << (8u * k);
    var square = level_of(v[k], scale.y, SECOND, 256u);
    if (v[k] > 0.0 && scale.y > 0.0) { square = max(square, 1u); }
    second |= square << (8u * k);
  }
  first_bytes[index] = first;
  second_bytes[index] = second;
  if (lane == 0u) {
    first_scales[block] = scale.x;
    second_scales[block] = scale.y;
  }
  weight[index] = next_weight(index, weight[index], m, v);
}
