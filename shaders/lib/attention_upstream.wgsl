// What the gradients of attention are given besides its operands.
@group(0) @binding(6) var<storage, read> row_statistics: array<vec2f>;   // [rows, heads]: log-sum-exp, dout . out
@group(0) @binding(7) var<storage, read> dout: array<vec4f>;
