/** Buffers of a case on the GPU, and the errors of what it left in them. */
import { at, must } from "../../src/base/must";
import type { BufferView } from "../../src/gpu/buffers";
import type { GpuContext } from "../../src/gpu/context";
import type { Tensor } from "../tensor";
import type { Data, KernelCase } from "./case";

/** A quiet NaN that no kernel makes: what still holds it was not written, and what read it shows NaN. */
export const POISON = 0x7fc0dead;
/** Words of poison after the elements of every buffer. */
const CANARY = 16;

/** The buffers of a case, by name. */
export interface CaseBuffers {
  readonly views: Readonly<Record<string, BufferView>>;
  /** What each buffer holds before the case runs, as words, with the canary after its elements. */
  readonly contents: ReadonlyMap<string, Uint32Array>;
  destroy(): void;
}

/** Uploads a case's inputs; outputs that are no inputs start as poison. */
export function caseBuffers(
  gpu: GpuContext,
  kernelCase: KernelCase,
  inputs: Readonly<Record<string, Data>>,
): CaseBuffers {
  const contents = new Map<string, Uint32Array>();
  const views: Record<string, BufferView> = {};
  for (const name of new Set([...Object.keys(inputs), ...Object.keys(kernelCase.outputs)])) {
    const data = inputs[name];
    const length = must(kernelCase.outputs[name] ?? data?.length, `the length of ${name}`);
    const content = new Uint32Array(length + CANARY).fill(POISON);
    if (data !== undefined) content.set(new Uint32Array(data.buffer, data.byteOffset, data.length));
    contents.set(name, content);
    const view = gpu.allocator.storage(`${kernelCase.name}: ${name}`, content.byteLength);
    gpu.write(view, content);
    views[name] = view;
  }
  return {
    views,
    contents,
    destroy() {
      for (const view of Object.values(views)) gpu.allocator.destroy(view);
    },
  };
}

/**
 * The relative norm error of each column of an output (one column, unless the case says otherwise), over the places
 * that must be written; the norm itself where nothing is expected but zeros.
 */
export function columnErrors(kernelCase: KernelCase, output: string, got: Float32Array, want: Tensor): number[] {
  const columns = kernelCase.columns?.[output] ?? 1;
  const sums = Array.from({ length: columns }, () => ({ difference: 0, norm: 0 }));
  want.data.forEach((value, i) => {
    if (Number.isNaN(value)) return;
    const sum = at(sums, i % columns);
    sum.difference += (must(got[i], "an element of the output") - value) ** 2;
    sum.norm += value ** 2;
  });
  return sums.map(({ difference, norm }) => Math.sqrt(norm === 0 ? difference : difference / norm));
}
