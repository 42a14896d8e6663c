/** Runs case tables on the GPU and holds them to their contracts. */
import { appendFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Data, KernelCase } from "../../kernels/cases/case";
import { caseBuffers, columnErrors, POISON } from "../../kernels/cases/case_buffers";
import { Random } from "../../kernels/cases/inputs";
import { Tensor } from "../../kernels/tensor";
import { must } from "../../src/base/must";
import { createContext, type GpuContext } from "../../src/gpu/context";
import type { DeviceProfile } from "../../src/gpu/profile";
import { testDevice } from "../support/device";
import { ALONE, dispatchesOf, HARDWARE, PROFILES } from "./dispatches";

let shared: Promise<GpuContext> | undefined;

/** The context of this test file's device. */
export function testContext(): Promise<GpuContext> {
  shared ??= testDevice().then(createContext);
  return shared;
}

/** The same device with the kernels' choices for other ones. Made once, so that a program's pipelines are too. */
function withChoices(choices: Partial<DeviceProfile>): (gpu: GpuContext) => GpuContext {
  const made = new WeakMap<GpuContext, GpuContext>();
  return (gpu) => {
    const known = made.get(gpu) ?? { ...gpu, profile: { ...gpu.profile, ...choices } };
    made.set(gpu, known);
    return known;
  };
}

/** As on hardware adapters. */
export const asHardware = withChoices(HARDWARE);
/** As on adapters without subgroups. */
const alone = withChoices(ALONE);

/** What every buffer of a case held before and after a run, as words, with the canary after its elements. */
interface Run {
  readonly before: ReadonlyMap<string, Uint32Array>;
  readonly after: ReadonlyMap<string, Uint32Array>;
}

async function run(gpu: GpuContext, kernelCase: KernelCase, inputs: Readonly<Record<string, Data>>): Promise<Run> {
  const buffers = caseBuffers(gpu, kernelCase, inputs);
  kernelCase.run(gpu, buffers.views);
  const after = new Map<string, Uint32Array>();
  for (const [name, content] of buffers.contents)
    after.set(name, await gpu.readback.readUints(must(buffers.views[name], name), content.length));
  buffers.destroy();
  return { before: buffers.contents, after };
}

/** The outputs of a case as words, for comparisons to the bit; inputs may be given in place of the case's own. */
export async function outputsOf(
  gpu: GpuContext,
  kernelCase: KernelCase,
  inputs = kernelCase.inputs(new Random(kernelCase.name)),
): Promise<Record<string, Uint32Array>> {
  const { after } = await run(gpu, kernelCase, inputs);
  return Object.fromEntries(
    Object.entries(kernelCase.outputs).map(([name, length]) => [name, must(after.get(name), name).slice(0, length)]),
  );
}

/** The words that a case must leave in an output: written where a value is expected, left alone elsewhere. */
function checkOutput(
  kernelCase: KernelCase,
  name: string,
  before: Uint32Array,
  after: Uint32Array,
  want: Tensor,
): void {
  const got = new Float32Array(after.buffer, after.byteOffset, want.data.length);
  want.data.forEach((value, i) => {
    if (Number.isNaN(value)) {
      if (after[i] !== before[i]) expect.fail(`${kernelCase.name}: ${name}[${i}] was written, and must not be`);
    } else if (!Number.isFinite(got[i])) {
      const what = after[i] === POISON ? "not written" : got[i];
      expect.fail(`${kernelCase.name}: ${name}[${i}] is ${what}, expected ${value}`);
    }
  });
  columnErrors(kernelCase, name, got, want).forEach((error, column) => {
    if (process.env.KERNEL_ERRORS)
      appendFileSync(process.env.KERNEL_ERRORS, `${kernelCase.name}\t${name}\t${column}\t${error}\n`);
    const what = `${kernelCase.name}: relative error of ${name}, column ${column}`;
    expect(error, what).toBeLessThanOrEqual(kernelCase.tolerance);
  });
}

/** Runs a case twice: outputs as expected, everything else left as it was, and both runs equal to the bit. */
async function verify(gpu: GpuContext, kernelCase: KernelCase): Promise<void> {
  const inputs = kernelCase.inputs(new Random(kernelCase.name));
  const expected = kernelCase.expected(inputs);
  const { before, after } = await run(gpu, kernelCase, inputs);
  for (const [name, start] of before) {
    const end = must(after.get(name), name);
    const length = kernelCase.outputs[name];
    const kept = length ?? 0;
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

/** A test per case; where other kinds of adapters run a case otherwise than software ones, it also runs as on those. */
export function testCases(cases: readonly KernelCase[]): void {
  for (const kernelCase of cases) {
    test(kernelCase.name, async () => verify(await testContext(), kernelCase));
    if (differs("hardware", kernelCase))
      test(`${kernelCase.name}, hardware variants`, async () => verify(asHardware(await testContext()), kernelCase));
    if (differs("alone", kernelCase))
      test(`${kernelCase.name}, without subgroups`, async () => verify(alone(await testContext()), kernelCase));
  }
}

function differs(kind: "hardware" | "alone", kernelCase: KernelCase): boolean {
  const [other, software] = [dispatchesOf(PROFILES[kind], kernelCase), dispatchesOf(PROFILES.lavapipe, kernelCase)];
  return JSON.stringify(other) !== JSON.stringify(software);
}

/**
 * Holds a batched op to its contract that a row's result is its own: all rows together, in another order, and each row
 * alone give the same bits. `run` takes row numbers and resolves with the words of each one's result, in that order.
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
  const all = must(words, "a matrix");
  return Array.from({ length: all.length / width }, (_, row) => all.slice(row * width, (row + 1) * width));
}
