enable subgroups;
// linear_input_gradient.wgsl with loads shared through the subgroup, as in linear_subgroup.wgsl: lane s loads rows s
// and s + LANES of dy. Same formula, owner and order of sums.
// unroll
const ROUNDS = 2u;    // rows of dy per lane
const LANES = 8u;     // also the subgroup's size
// include linear_input_gradient_operands

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) place: u32,
) {
  let row = group.y * ROUNDS * LANES;
  let column = group.x * LANES + lane;
  let weight_column = min(column, params.width4 - 1u);
  var dy_at: array<u32, ROUNDS>;
  for (var r = 0u; r < ROUNDS; r++) {
    dy_at[r] = min(row + r * LANES + place, params.rows - 1u) * params.dy_stride + params.dy_offset;
  }
  var sums: array<array<vec4f, LANES>, ROUNDS>;
  for (var n = 0u; n < params.outer; n++) {
    let w = weight4(n * params.width4 + weight_column);
    for (var r = 0u; r < ROUNDS; r++) {
      let own = dy[dy_at[r] + n];
      for (var i = 0u; i < LANES; i++) { sums[r][i] = fma(vec4f(subgroupBroadcast(own, i)), w, sums[r][i]); }
    }
  }
  for (var r = 0u; r < ROUNDS; r++) {
    for (var i = 0u; i < LANES; i++) {
      let at = min(row + r * LANES + i, params.rows - 1u) * params.width4 + weight_column;
      sums[r][i] *= params.scale;
      if (ACCUMULATE) { sums[r][i] += dx[at]; }
      if (row + r * LANES + i < params.rows && column < params.width4) { dx[at] = sums[r][i]; }
    }
  }
}
