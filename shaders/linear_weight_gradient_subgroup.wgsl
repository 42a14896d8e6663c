enable subgroups;
// linear_weight_gradient.wgsl with loads shared through the subgroup, as in linear_subgroup.wgsl: lane s loads columns
// s and s + LANES of dy. Same formula, owner and order of sums.
// unroll
const ROUNDS = 2u;    // columns of dy per lane
const LANES = 8u;     // also the subgroup's size
// include linear_weight_gradient_operands

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) place: u32,
) {
  let first = group.y * ROUNDS * LANES;
  let column = group.x * LANES + lane;
  let x_column = min(column, params.width4 - 1u);
  var dy_column: array<u32, ROUNDS>;
  for (var r = 0u; r < ROUNDS; r++) {
    dy_column[r] = params.dy_offset + min(first + r * LANES + place, params.outer - 1u);
  }
  var sums: array<array<vec4f, LANES>, ROUNDS>;
  for (var m = 0u; m < params.rows; m++) {
    let value = x[m * params.width4 + x_column];
    let dy_row = m * params.dy_stride;
    for (var r = 0u; r < ROUNDS; r++) {
      let own = dy[dy_row + dy_column[r]];
      for (var i = 0u; i < LANES; i++) { sums[r][i] = fma(vec4f(subgroupBroadcast(own, i)), value, sums[r][i]); }
    }
  }
  for (var r = 0u; r < ROUNDS; r++) {
    for (var i = 0u; i < LANES; i++) {
      let at = min(first + r * LANES + i, params.outer - 1u) * params.width4 + x_column;
      let total = dweight[at] + sums[r][i];
      if (first + r * LANES + i < params.outer && column < params.width4) { dweight[at] = total; }
    }
  }
}
