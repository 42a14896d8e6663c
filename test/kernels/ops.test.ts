import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { roofPrograms } from "../../kernels/bench/roofline";
import type { GradientCheck, KernelCase } from "../../kernels/cases/case";
import { Random } from "../../kernels/cases/inputs";
import { OPS } from "../../kernels/ops";
import { relativeError } from "../../kernels/tensor";
import { must } from "../../src/base/must";
import { dispatchesOf, PROFILES } from "./dispatches";

const dispatches = (cases: readonly KernelCase[]) =>
  Object.values(PROFILES).flatMap((profile) => cases.flatMap((each) => dispatchesOf(profile, each)));

/** The shaders that no adapter runs in these cases. */
function missing(cases: readonly KernelCase[]): string[] {
  const run = new Set(
    [...dispatches(cases), ...roofPrograms.map(({ name }) => ({ shader: name }))].map((d) => d.shader),
  );
  return readdirSync(join(import.meta.dirname, "../../shaders"))
    .filter((name) => name.endsWith(".wgsl"))
    .map((name) => name.replace(".wgsl", ""))
    .filter((name) => !run.has(name));
}

test("every shader is checked: a case of an op in kernels/ops.ts dispatches it", () => {
  expect(missing(OPS.flatMap((op) => op.cases))).toEqual([]);
});

test("every shader is timed: a bench case of an op in kernels/ops.ts dispatches it", () => {
  expect(missing(OPS.flatMap((op) => op.timed))).toEqual([]);
});

test("every op times cases of its own, and no two cases have one name", () => {
  for (const op of OPS) expect(Math.min(op.cases.length, op.timed.length), op.name).toBeGreaterThan(0);
  const names = OPS.flatMap((op) => [...op.cases, ...op.timed].map(({ name }) => name));
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test("no program binds more than the 8 storage buffers that every WebGPU device has", () => {
  const all = dispatches(OPS.flatMap((op) => op.cases));
  expect(all.filter(({ bindings }) => bindings > 8)).toEqual([]);
});

/** Central differences of the f64 forward pass against the f64 backward pass, over every input element. */
function checkGradient(check: GradientCheck): void {
  const random = new Random(check.name);
  const inputs = check.inputs(random);
  const upstream = check.forward(inputs);
  upstream.data.forEach((_, index) => {
    upstream.data[index] = random.normal();
  });
  const loss = () => {
    const { data } = check.forward(inputs);
    return upstream.data.reduce((total, weight, i) => total + weight * must(data[i], "an output"), 0);
  };
  for (const [name, gradient] of Object.entries(check.backward(inputs, upstream))) {
    const { data } = must(inputs[name], `the input ${name}`);
    const differences = data.map((value, index) => {
      const step = 1e-5 * Math.max(1, Math.abs(value));
      data[index] = value + step;
      const above = loss();
      data[index] = value - step;
      const below = loss();
      data[index] = value;
      return (above - below) / (2 * step);
    });
    expect(differences.length).toBeGreaterThan(0);
    expect(relativeError(must(gradient, name).data, differences), `${check.name}: d${name}`).toBeLessThan(1e-7);
  }
}

describe("the gradient of the reference is that of its differences", () => {
  test.each(OPS.flatMap((op) => op.gradients ?? []))("$name", checkGradient);
});
