enable subgroups;
// linear.wgsl for adapters on which a load that all lanes share costs as much as one of its own (software): lane s of
// the subgroup loads rows s and s + LANES of x, and broadcasts hand them round. Same formula, owner and order of sums:
// one chain of fused multiply-adds per element, k ascending.
// A workgroup is one subgroup of LANES; all lanes stay active to the end, because broadcasts need them.
// unroll
const ROUNDS = 2u;    // rows of x per lane
const LANES = 8u;     // also the subgroup's size, so that a tile has ROUNDS * LANES rows
// include linear_operands

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) place: u32,
) {
  let row = group.y * ROUNDS * LANES;
  let first = (group.x * LANES + lane) * 4u;
  let column = first + vec4u(0u, 1u, 2u, 3u);
  let from_column = min(column, vec4u(params.columns - 1u));
  let weight_at = from_column * params.inner4;
  var x_at: array<u32, ROUNDS>;
  for (var r = 0u; r < ROUNDS; r++) { x_at[r] = min(row + r * LANES + place, params.rows - 1u) * params.inner4; }
  var sums: array<array<vec4f, LANES>, ROUNDS>;
  for (var k = 0u; k < params.inner4; k++) {
    let at = weight_at + k;
    let w = transpose(mat4x4f(weight4(at.x), weight4(at.y), weight4(at.z), weight4(at.w)));
    for (var r = 0u; r < ROUNDS; r++) {
      let own = x[x_at[r] + k];
      for (var i = 0u; i < LANES; i++) {
        let a = subgroupBroadcast(own, i);
        sums[r][i] = fma(a.wwww, w[3], fma(a.zzzz, w[2], fma(a.yyyy, w[1], fma(a.xxxx, w[0], sums[r][i]))));
      }
    }
  }
  var offset = vec4f(0.0);
  if (HAS_BIAS) { offset = vec4f(bias[from_column.x], bias[from_column.y], bias[from_column.z], bias[from_column.w]); }
  let column4 = params.y_offset4 + min(first, params.columns - 1u) / 4u;
  for (var r = 0u; r < ROUNDS; r++) {
    for (var i = 0u; i < LANES; i++) {
      let at = min(row + r * LANES + i, params.rows - 1u) * params.y_stride4 + column4;
      sums[r][i] *= params.scale;
      if (HAS_BIAS) { sums[r][i] += offset; }
      if (ACCUMULATE) { sums[r][i] += y[at]; }
      if (row + r * LANES + i < params.rows && first < params.columns) {
        y[at] = select(vec4f(0.0), sums[r][i], column < vec4u(params.columns));
      }
    }
  }
  if (HAS_RESIDUAL && first < params.columns) {
    // A loop that is not written out, because loads among so many live sums take compilers far longer.
    let end = min(row + ROUNDS * LANES, params.rows);
    for (var m = row; m < end; m++) {
      let at = m * params.y_stride4 + column4;
      y[at] += select(vec4f(0.0), residual[at], column < vec4u(params.columns));
    }
  }
}
