/** Runs case tables on the GPU and holds them to their contracts. */
import { appendFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Data, type GradientCheck, type KernelCase, Random } from "../../kernels/cases";
import { relativeError, Tensor } from "../../kernels/tensor";
import type { BufferView } from "../../src/gpu/buffers";
import { createContext, type GpuContext } from "../../src/gpu/context";
import { testDevice } from "../support/device";

/** A quiet NaN that no kernel makes: what it still holds was not written, and what read it shows NaN. */
const POISON = 0x7fc0dead;
const CANARY = 16;

let shared: Promise<GpuContext> | undefined;

/** The context of this test file's device. */
export function testContext(): Promise<GpuContext> {
  shared ??= testDevice().then(createContext);
  return shared;
}

const variants = new WeakMap<GpuContext, GpuContext>();

/** The same device with the kernels' choices for hardware adapters: a workgroup per row, wider register tiles. */
export function asHardware(gpu: GpuContext): GpuContext {
  const made = variants.get(gpu) ?? {
    ...gpu,
    profile: { ...gpu.profile, isSoftware: false, rowLanes: 64, linearTile: "workgroup" },
  };
  variants.set(gpu, made);
  return made;
}

function bits(data: Data): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

/** What every buffer of a case held before and after a run, as words, with CANARY words of poison after its elements. */
interface Run {
  readonly before: ReadonlyMap<string, Uint32Array>;
  readonly after: ReadonlyMap<string, Uint32Array>;
}

async function run(gpu: GpuContext, kernelCase: KernelCase, inputs: Readonly<Record<string, Data>>): Promise<Run> {
  const before = new Map<string, Uint32Array>();
  const views: Record<string, BufferView> = {};
  for (const name of new Set([...Object.keys(inputs), ...Object.keys(kernelCase.outputs)])) {
    const data = inputs[name];
    const length = kernelCase.outputs[name] ?? data?.length ?? 0;
    const content = new Uint32Array(length + CANARY).fill(POISON);
    if (data !== undefined) content.set(bits(data));
    before.set(name, content);
    const view = gpu.allocator.storage(`${kernelCase.name}: ${name}`, content.byteLength);
    gpu.write(view, content);
    views[name] = view;
  }
  kernelCase.run(gpu, views);
  const after = new Map<string, Uint32Array>();
  for (const [name, view] of Object.entries(views))
    after.set(name, await gpu.readback.readUints(view, before.get(name)?.length ?? 0));
  for (const view of Object.values(views)) gpu.allocator.destroy(view);
  return { before, after };
}

/** The outputs of a case as words, for comparisons to the bit; inputs may be given in place of the case's own. */
export async function outputsOf(
  gpu: GpuContext,
  kernelCase: KernelCase,
  inputs = kernelCase.inputs(new Random(kernelCase.name)),
): Promise<Record<string, Uint32Array>> {
  const { after } = await run(gpu, kernelCase, inputs);
  return Object.fromEntries(
    Object.entries(kernelCase.outputs).map(([name, length]) => [
      name,
      (after.get(name) ?? new Uint32Array()).slice(0, length),
    ]),
  );
}

function checkOutput(
  kernelCase: KernelCase,
  name: string,
  before: Uint32Array,
  after: Uint32Array,
  want: Tensor,
): void {
  const floats = new Float32Array(after.buffer, after.byteOffset, want.data.length);
  const columns = kernelCase.columns?.[name] ?? 1;
  for (let column = 0; column < columns; column++) {
    const actual: number[] = [];
    const expected: number[] = [];
    for (let i = column; i < want.data.length; i += columns) {
      const value = want.data[i] ?? Number.NaN;
      if (Number.isNaN(value)) {
        if (after[i] !== before[i]) expect.fail(`${kernelCase.name}: ${name}[${i}] was written, and must not be`);
        continue;
      }
      const got = floats[i] ?? Number.NaN;
      if (!Number.isFinite(got))
        expect.fail(
          `${kernelCase.name}: ${name}[${i}] is ${after[i] === POISON ? "not written" : got}, expected ${value}`,
        );
      actual.push(got);
      expected.push(value);
    }
    const error = relativeError(actual, expected);
    if (process.env.KERNEL_ERRORS)
      appendFileSync(process.env.KERNEL_ERRORS, `${kernelCase.name}\t${name}\t${column}\t${error}\n`);
    expect(error, `${kernelCase.name}: relative error of ${name}, column ${column}`).toBeLessThanOrEqual(
      kernelCase.tolerance,
    );
  }
}

/** Runs a case twice: outputs as expected, everything else left as it was, and both runs equal to the bit. */
export async function verify(gpu: GpuContext, kernelCase: KernelCase): Promise<void> {
  const inputs = kernelCase.inputs(new Random(kernelCase.name));
  const expected = kernelCase.expected(inputs);
  const { before, after } = await run(gpu, kernelCase, inputs);
  for (const [name, start] of before) {
    const end = after.get(name) ?? new Uint32Array();
    const length = kernelCase.outputs[name];
    const kept = length === undefined ? 0 : length;
    expect(end.subarray(kept), `${kernelCase.name}: ${name} from element ${kept} on`).toEqual(start.subarray(kept));
    const want = expected[name];
    if (want instanceof Tensor) {
      expect(want.data.length, `${kernelCase.name}: length of ${name}`).toBe(length);
      checkOutput(kernelCase, name, start, end, want);
    } else if (want !== undefined) {
      expect(end.subarray(0, length), `${kernelCase.name}: ${name}`).toEqual(want);
    }
  }
  const again = await run(gpu, kernelCase, inputs);
  for (const name of Object.keys(kernelCase.outputs))
    expect(again.after.get(name), `${kernelCase.name}: ${name} of a second run`).toEqual(after.get(name));
}

/** A test per case; with `bothLanes` each case also runs as on hardware adapters. */
export function testCases(cases: readonly KernelCase[], options: { bothLanes?: boolean } = {}): void {
  describe.each(options.bothLanes ? [false, true] : [false])("hardware variants: %s", (hardware) => {
    test.each(cases.map((kernelCase) => ({ name: kernelCase.name, kernelCase })))("$name", async ({ kernelCase }) => {
      const gpu = await testContext();
      await verify(hardware ? asHardware(gpu) : gpu, kernelCase);
    });
  });
}

/** Central differences of the f64 forward pass against the f64 backward pass, over every input element. */
export function testGradients(checks: readonly GradientCheck[]): void {
  test.each(checks.map((check) => ({ name: check.name, check })))("gradient of $name", ({ check }) => {
    const random = new Random(check.name);
    const inputs = check.inputs(random);
    const upstream = check.forward(inputs);
    upstream.data.forEach((_, index) => {
      upstream.data[index] = random.normal();
    });
    const loss = () => check.forward(inputs).data.reduce((total, y, i) => total + y * (upstream.data[i] ?? 0), 0);
    for (const [name, gradient] of Object.entries(check.backward(inputs, upstream))) {
      const { data } = inputs[name] ?? new Tensor([0]);
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
      expect(relativeError(gradient.data, differences), `${check.name}: d${name}`).toBeLessThan(1e-7);
    }
  });
}

/**
 * Holds a batched op to its contract that a row's result is its own: all rows together, in another order, and each row alone give the same bits.
 * `run` takes row numbers and resolves with the words of each one's result, in that order.
 */
export async function expectRowsIndependent(
  rows: number,
  run: (order: readonly number[]) => Promise<readonly Uint32Array[]>,
): Promise<void> {
  const together = await run([...Array(rows).keys()]);
  const order = [...new Random("another order of rows").permutation(rows)];
  expect(await run(order)).toEqual(order.map((row) => together[row]));
  for (let row = 0; row < rows; row++) expect(await run([row])).toEqual([together[row]]);
}

/** Runs a test body on the device as it is and with the choices for hardware adapters. */
export function testBothLanes(name: string, body: (gpu: GpuContext) => Promise<void>): void {
  test(name, async () => body(await testContext()));
  test(`${name}, hardware variants`, async () => body(asHardware(await testContext())));
}

/** Rows of a matrix in a given order. */
export function pickRows(values: Float32Array, width: number, order: readonly number[]): Float32Array {
  return Float32Array.from(order.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
}

/** A matrix as its rows. */
export function splitRows(words: Uint32Array | undefined, width: number): Uint32Array[] {
  const all = words ?? new Uint32Array();
  return Array.from({ length: all.length / width }, (_, row) => all.slice(row * width, (row + 1) * width));
}
