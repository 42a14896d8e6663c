// Sums and maxima over one row by ROW_LANES invocations that stride over it. With ROW_LANES = 1 (software adapters, where a barrier costs more than
// anything else) an invocation owns its row and nothing is shared. The order of a sum depends on ROW_LANES alone, never on the number of rows.
const ROW_LANES = 1u;
const ROWS_PER_GROUP = 8u;

var<workgroup> row_scratch: array<f32, ROW_LANES * ROWS_PER_GROUP>;

fn row_sum(value: f32, invocation: u32) -> f32 {
  if (ROW_LANES == 1u) { return value; }
  let lane = invocation % ROW_LANES;
  row_scratch[invocation] = value;
  workgroupBarrier();
  for (var step = ROW_LANES / 2u; step > 0u; step /= 2u) {
    if (lane < step) { row_scratch[invocation] += row_scratch[invocation + step]; }
    workgroupBarrier();
  }
  let total = row_scratch[invocation - lane];
  workgroupBarrier();
  return total;
}

fn row_max(value: f32, invocation: u32) -> f32 {
  if (ROW_LANES == 1u) { return value; }
  let lane = invocation % ROW_LANES;
  row_scratch[invocation] = value;
  workgroupBarrier();
  for (var step = ROW_LANES / 2u; step > 0u; step /= 2u) {
    if (lane < step) { row_scratch[invocation] = max(row_scratch[invocation], row_scratch[invocation + step]); }
    workgroupBarrier();
  }
  let top = row_scratch[invocation - lane];
  workgroupBarrier();
  return top;
}
