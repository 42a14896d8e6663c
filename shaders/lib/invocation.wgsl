// Where an invocation stands. Workgroups lie in rows of a grid (linearGrid in kernels/program.ts), because one
// dimension holds 65,535; an element-wise program has workgroups of 64 (elementGrid).
struct Invocation {
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
}
fn workgroup_of(invocation: Invocation) -> u32 { return invocation.group.y * invocation.groups.x + invocation.group.x; }
fn element_of(invocation: Invocation) -> u32 { return workgroup_of(invocation) * 64u + invocation.lane; }
