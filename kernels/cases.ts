/**
 * Case tables: one per op, which its test, its gradient check and its microbenchmark all run. A case names every buffer it binds; a buffer that is both an input
 * and an output is updated in place.
 */
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import type { Tensor } from "./tensor";

export type Data = Float32Array | Uint32Array;

/** One case of an op. Methods, not function properties, so that tables of differently named buffers fit in one list. */
export interface CaseSpec<Inputs extends Readonly<Record<string, Data>>, Output extends string> {
  readonly name: string;
  /** Contents of the input buffers. A place that must not be read holds NaN. */
  inputs(random: Random): Inputs;
  /** Elements of each output buffer; one that is no input starts as NaN. */
  readonly outputs: Readonly<Record<Output, number>>;
  run(gpu: GpuContext, views: Readonly<Record<keyof Inputs | Output, BufferView>>): void;
  /**
   * What the outputs must hold, in f64; NaN means "left as it was". Integers must be equal. An output that is left out is workspace.
   */
  expected(inputs: Inputs): Partial<Record<Output, Tensor | Uint32Array>>;
  /** Bound of the relative norm error of each output. */
  readonly tolerance: number;
  /** Outputs whose columns differ in kind, and how many they have: each column gets its own error. */
  readonly columns?: Partial<Record<Output, number>>;
  /** Floating-point operations of the formula. */
  readonly flops: number;
  /** Bytes that must be read and written once. */
  readonly bytes: number;
}

export type KernelCase = CaseSpec<Readonly<Record<string, Data>>, string>;

/** Checks a case's names against each other and lets go of them. */
export function defineCase<Inputs extends Readonly<Record<string, Data>>, Output extends string>(
  spec: CaseSpec<Inputs, Output>,
): KernelCase {
  return spec;
}

/** One gradient of an op's reference: forward and backward in f64 over named inputs. */
export interface GradientCheck {
  readonly name: string;
  inputs(random: Random): Readonly<Record<string, Tensor>>;
  forward(inputs: Readonly<Record<string, Tensor>>): Tensor;
  /** Gradients of sum(forward * upstream) with respect to the inputs it names. */
  backward(inputs: Readonly<Record<string, Tensor>>, upstream: Tensor): Readonly<Record<string, Tensor>>;
}

/** Looks a tensor up by name. */
export function named(tensors: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const found = tensors[name];
  if (found === undefined) throw new Error(`the gradient check has no tensor ${name}`);
  return found;
}

/** Seeded random numbers for the inputs of cases: a 32-bit linear congruential generator with its high bits mixed down. */
export class Random {
  private state: number;

  /** The stream of a name. */
  constructor(name: string) {
    this.state = 1;
    for (const character of name)
      this.state = (Math.imul(this.state, 0x01000193) ^ (character.codePointAt(0) ?? 0)) >>> 0;
  }

  /** In [0, 1). */
  uniform(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    let mixed = this.state ^ (this.state >>> 16);
    mixed = Math.imul(mixed, 0x45d9f3b);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return Math.floor(this.uniform() * end);
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** `count` normal numbers times `scale` plus `shift`. */
  normals(count: number, scale = 1, shift = 0): Float32Array {
    return Float32Array.from({ length: count }, () => shift + scale * this.normal());
  }

  /** 0 ... count - 1 in a random order. */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = order[i] ?? 0;
      order[i] = order[j] ?? 0;
      order[j] = kept;
    }
    return order;
  }
}

/** NaN everywhere. */
export function poisoned(count: number): Float32Array {
  return new Float32Array(count).fill(Number.NaN);
}

/** Bytes of `elements` 32-bit numbers. */
export function words(...elements: readonly number[]): number {
  return 4 * elements.reduce((total, count) => total + count, 0);
}
