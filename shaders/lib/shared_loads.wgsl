// Loads that a subgroup shares, where a load that all lanes do from one address costs as much as one of its own
// (software adapters): lane s of the subgroup loads every LANES-th vec4 of a vector, from s on, and broadcasts hand them
// round.
const HEAD_DIM4 = 6u;
const LANES = 8u;     // of a workgroup, which is one subgroup
const LOADS = 1u;     // vec4 that a lane loads of a head: HEAD_DIM4 / LANES, rounded up
