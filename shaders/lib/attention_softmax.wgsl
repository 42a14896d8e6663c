// The order in which every variant of attention for hardware takes a row's keys: in splits of SPLIT keys, each by an
// online softmax (Dao 2022) over tiles of KV_TILE keys that ends with its maximum `top`, `total` = sum exp(score - top)
// and `sums` = sum exp(score - top) v; splits are merged in ascending order. Keys that a row does not see have weight 0
// and change no bit, so a row may pass any number of them.
const SPLIT = 256u;
const KV_TILE = 4u;
const LOWEST = -3.0e38;

// exp(before - after), exactly 1 where nothing changes.
fn shrink(before: f32, after: f32) -> f32 { return select(exp(before - after), 1.0, before == after); }
