// Vectors inside token rows, so that the heads of a projection can be normalised in place of a whole row (Qwen3):
// vector v of row r starts at r * row_stride4 + vector_offset4 + v * width4, in vec4.
fn vector_start(vector: u32) -> u32 {
  let row = vector / params.vectors_per_row;
  return row * params.row_stride4 + params.vector_offset4 + (vector % params.vectors_per_row) * params.width4;
}
