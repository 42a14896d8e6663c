// dtable[token, :] += sum of dx[row, :] over the rows of that token, rows ascending.
// Owner of dtable[token, c..c+3]: one invocation, so no atomics. The host groups rows by token: token t's rows are
// grouped_rows[group_starts[t] .. group_starts[t + 1]].
struct Params {
  first: u32,         // first group of this shard
  tokens: u32,        // distinct tokens in this shard
  width4: u32,
  shard_begin: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> group_tokens: array<u32>;
@group(0) @binding(2) var<storage, read> group_starts: array<u32>;
@group(0) @binding(3) var<storage, read> grouped_rows: array<u32>;
@group(0) @binding(4) var<storage, read> dx: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dtable: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  if (index / params.width4 >= params.tokens) { return; }
  let entry = params.first + index / params.width4;
  let column = index % params.width4;
  var sum = vec4f(0.0);
  for (var i = group_starts[entry]; i < group_starts[entry + 1u]; i++) {
    sum += dx[grouped_rows[i] * params.width4 + column];
  }
  let target_index = (group_tokens[entry] - params.shard_begin) * params.width4 + column;
  dtable[target_index] += sum;
}
