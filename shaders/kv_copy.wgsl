// Copies whole KV pages: page to_pages[i] becomes a copy of page from_pages[i], keys and values.
// Owner of four elements: one invocation. No sum.
struct Params {
  count: u32,
  page4: u32,         // length of a page in vec4
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> from_pages: array<u32>;
@group(0) @binding(2) var<storage, read> to_pages: array<u32>;
@group(0) @binding(3) var<storage, read_write> k_pages: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v_pages: array<vec4f>;
// include invocation

@compute @workgroup_size(64)
fn main(invocation: Invocation) {
  let index = element_of(invocation);
  let entry = index / params.page4;
  if (entry >= params.count) { return; }
  let from_at = from_pages[entry] * params.page4 + index % params.page4;
  let to_at = to_pages[entry] * params.page4 + index % params.page4;
  k_pages[to_at] = k_pages[from_at];
  v_pages[to_at] = v_pages[from_at];
}
