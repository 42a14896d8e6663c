import { expect, test } from "vitest";
import { defineProgram } from "../../kernels/program";
import { unroll } from "../../kernels/unroll";

test("loops to a constant are written out from the outside in, other loops stay", () => {
  const text = [
    "const ROWS = 2u;",
    "const COLUMNS = 2u;",
    "for (var i = 0u; i < ROWS; i++) { for (var j = 0u; j < COLUMNS; j++) { sums[i][j] += weight_i * a[i]; } }",
    "for (var k = 0u; k < params.inner; k++) { b[k] = 0.0; }",
  ].join("\n");
  const code = unroll(text).replace(/\s+/g, "");
  for (const place of ["[0u][0u]", "[0u][1u]", "[1u][0u]", "[1u][1u]"])
    expect(code).toContain(`sums${place}+=weight_i*a[${place[1]}u];`);
  expect(code.match(/sums/g)).toHaveLength(4);
  expect(code).toContain("for(vark=0u;k<params.inner;k++){b[k]=0.0;}");
});

test("a loop that leaves early cannot be written out", () => {
  const text = "const ROWS = 2u;\nfor (var i = 0u; i < ROWS; i++) { if (i > limit) { break; } }";
  expect(() => unroll(text)).toThrow("ROWS has a break");
});

const TEXT = `const WIDTH = 4u;
struct Params { count: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;`;

test("a contract that differs from the WGSL is found when the module loads", () => {
  const define = (bindings: readonly string[], params: readonly string[]) =>
    defineProgram("scale", TEXT, { bindings, params });
  expect(define(["x", "y"], ["count", "scale"]).bindings).toEqual([
    { name: "x", access: "read" },
    { name: "y", access: "read_write" },
  ]);
  expect(() => define(["y", "x"], ["count", "scale"])).toThrow("scale.wgsl binds x, y; its contract says y, x");
  expect(() => define(["x", "y"], ["scale", "count"])).toThrow("has params count, scale");
});

test("a variant replaces the constants it names, and only those that exist", () => {
  const program = defineProgram("scale", TEXT, { bindings: ["x", "y"], params: ["count", "scale"] });
  expect(program.wgsl({ WIDTH: 8 })).toContain("const WIDTH = 8u;");
  expect(() => program.wgsl({ HEIGHT: 8 })).toThrow("scale.wgsl has no constant HEIGHT");
});

test("what a text includes may include more; a stored weight is read by its own text", () => {
  const text = `// include linear_operands\n${TEXT.split("\n").slice(0, 1)}`;
  const contract = {
    bindings: ["x", "weight", "bias", "residual", "y"],
    params: ["rows", "columns", "inner4", "y_stride4", "y_offset4", "scale"],
  };
  expect(defineProgram("scale", text, contract).wgsl()).toContain("weight: array<vec4f>;");
  expect(defineProgram("scale", text, contract, "bf16").wgsl()).toContain("weight: array<vec2u>;");
  expect(() => defineProgram("scale", "// include nothing", contract)).toThrow("nothing, which is not in shaders/lib");
});
