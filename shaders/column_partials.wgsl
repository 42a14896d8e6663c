// partials[block, c] = sum of dy[v, c] over the vectors v of a block of `block_size`, ascending; with NORMALISED = true
// of dy[v, c] * x[v, c] * rstd[v], the gradient of an RMSNorm gain. Owner of partials[block, c..c+3]: one invocation.
const NORMALISED = true;
struct Params {
  rows: u32,
  vectors_per_row: u32,
  width4: u32,
  row_stride4: u32,
  vector_offset4: u32,
  block_size: u32,
  blocks: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> rstd: array<f32>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;
// include invocation
// include vectors

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let block = index / params.width4;
  if (block >= params.blocks) { return; }
  let column = index % params.width4;
  let first = block * params.block_size;
  let end = min(first + params.block_size, params.rows * params.vectors_per_row);
  var sum = vec4f(0.0);
  for (var v = first; v < end; v++) {
    let at = vector_start(v) + column;
    if (NORMALISED) { sum += dy[at] * x[at] * rstd[v]; } else { sum += dy[at]; }
  }
  partials[index] = sum;
}
