// y = x: the memory roof of an adapter, for the microbenchmarks. Owner of STEPS vec4, a whole grid apart so that the lanes of a workgroup stand side by side: one
// invocation. No sum.
const STEPS = 16u;
struct Params {
  count4: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let stride = groups.x * groups.y * 64u;
  var index = (group.y * groups.x + group.x) * 64u + lane;
  for (var step = 0u; step < STEPS && index < params.count4; step++) {
    y[index] = x[index];
    index += stride;
  }
}
