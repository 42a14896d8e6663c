// gradient[c] += sum over blocks, ascending, of partials[block, c]. Owner of gradient[c..c+3]: one invocation.
struct Params {
  blocks: u32,
  width4: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = group.x * 64u + lane;
  if (column >= params.width4) { return; }
  var sum = vec4f(0.0);
  for (var block = 0u; block < params.blocks; block++) { sum += partials[block * params.width4 + column]; }
  gradient[column] += sum;
}
