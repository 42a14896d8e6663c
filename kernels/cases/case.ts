/**
 * An op's table of cases: one per op, which the tests, the gradient checks and the microbenchmarks all run. A case
 * names every buffer it binds; a buffer that is both an input and an output is updated in place.
 */
import type { BufferView } from "../../src/gpu/buffers";
import type { GpuContext } from "../../src/gpu/context";
import type { Tensor } from "../tensor";
import type { Random } from "./inputs";

/** An op with everything that is known of it. kernels/ops.ts lists them all. */
export interface Op {
  readonly name: string;
  /** Held against the f64 reference: ragged shapes, one row, none, every variant. */
  readonly cases: readonly KernelCase[];
  /** Timed: the shapes of the nano model, and whatever else an adapter should be good at. */
  readonly timed: readonly KernelCase[];
  /** Gradients of the f64 reference, held against central differences; absent where the op has no backward pass. */
  readonly gradients?: readonly GradientCheck[];
}

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
   * What the outputs must hold, in f64; NaN means "left as it was". Integers must be equal. An output that is left out
   * is workspace.
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
export interface GradientSpec<Inputs extends Readonly<Record<string, Tensor>>> {
  readonly name: string;
  inputs(random: Random): Inputs;
  forward(inputs: Inputs): Tensor;
  /** Gradients of sum(forward * upstream) with respect to the inputs it names. */
  backward(inputs: Inputs, upstream: Tensor): Partial<Inputs>;
}

export type GradientCheck = GradientSpec<Readonly<Record<string, Tensor>>>;

/** Checks a gradient's names against each other and lets go of them. */
export function defineGradient<Inputs extends Readonly<Record<string, Tensor>>>(
  spec: GradientSpec<Inputs>,
): GradientCheck {
  return spec;
}

/** Bytes of `elements` 32-bit numbers. */
export function words(...elements: readonly number[]): number {
  return 4 * elements.reduce((total, count) => total + count, 0);
}
