// Sums and maxima over one row by ROW_LANES invocations that stride over it. With ROW_LANES = 1 (software adapters,
// where a barrier costs more than anything else) an invocation owns its row and nothing is shared. The order of a sum
// depends on ROW_LANES alone, never on the number of rows.
const ROW_LANES = 1u;
const ROWS_PER_GROUP = 8u;
// include invocation

var<workgroup> row_scratch: array<f32, ROW_LANES * ROWS_PER_GROUP>;

fn row_of(invocation: Invocation) -> u32 {
  return workgroup_of(invocation) * ROWS_PER_GROUP + invocation.lane / ROW_LANES;
}
fn row_lane(invocation: Invocation) -> u32 { return invocation.lane % ROW_LANES; }

fn row_sum(value: f32, invocation: Invocation) -> f32 {
  if (ROW_LANES == 1u) { return value; }
  let place = invocation.lane;
  let lane = row_lane(invocation);
  row_scratch[place] = value;
  workgroupBarrier();
  for (var step = ROW_LANES / 2u; step > 0u; step /= 2u) {
    if (lane < step) { row_scratch[place] += row_scratch[place + step]; }
    workgroupBarrier();
  }
  let total = row_scratch[place - lane];
  workgroupBarrier();
  return total;
}

fn row_max(value: f32, invocation: Invocation) -> f32 {
  if (ROW_LANES == 1u) { return value; }
  let place = invocation.lane;
  let lane = row_lane(invocation);
  row_scratch[place] = value;
  workgroupBarrier();
  for (var step = ROW_LANES / 2u; step > 0u; step /= 2u) {
    if (lane < step) { row_scratch[place] = max(row_scratch[place], row_scratch[place + step]); }
    workgroupBarrier();
  }
  let top = row_scratch[place - lane];
  workgroupBarrier();
  return top;
}
