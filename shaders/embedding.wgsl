// x[row, :] = weight[token(row), :], token(row) = slot_tokens[slot(row), position(row)].
// Owner of x[row, c..c+3]: one invocation. No sum. A table in shards runs once per shard; an invocation writes when its
// token is in the shard.
struct Params {
  rows: u32,
  width4: u32,        // row length in vec4
  slot_length: u32,   // tokens per slot in slot_tokens
  shard_begin: u32,   // first table row of this shard
  shard_rows: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<vec4u>;     // slot, position, end of the sequence's rows, 0
// include weight
@group(0) @binding(3) var<storage, read> slot_tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> x: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let row = index / params.width4;
  if (row >= params.rows) { return; }
  let token = slot_tokens[rows[row].x * params.slot_length + rows[row].y];
  if (token < params.shard_begin || token - params.shard_begin >= params.shard_rows) { return; }
  x[index] = weight4((token - params.shard_begin) * params.width4 + index % params.width4);
}
