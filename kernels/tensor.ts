/**
 * Tensors of f64 for the reference implementations: indices are checked, so that a reference never reads
 * past an end in silence.
 */
import { at, must } from "../src/base/must";

export class Tensor {
  readonly data: Float64Array;
  readonly #d1: number;
  readonly #d2: number;
  readonly #d3: number;

  /** Zeros, or a copy of `values`. At most four dimensions. */
  constructor(
    readonly shape: readonly number[],
    values?: ArrayLike<number>,
  ) {
    const length = shape.reduce((product, size) => product * size, 1);
    if (values !== undefined && values.length !== length)
      throw new RangeError(`a tensor of shape [${shape.join(", ")}] needs ${length} values, got ${values.length}`);
    this.data = values === undefined ? new Float64Array(length) : Float64Array.from(values);
    this.#d1 = shape[1] ?? 1;
    this.#d2 = shape[2] ?? 1;
    this.#d3 = shape[3] ?? 1;
  }

  /** Length of dimension `axis`. */
  size(axis: number): number {
    return at(this.shape, axis);
  }

  at(i: number, j = 0, k = 0, l = 0): number {
    const value = this.data[((i * this.#d1 + j) * this.#d2 + k) * this.#d3 + l];
    if (value === undefined) throw new RangeError(`index ${i}, ${j}, ${k}, ${l} is outside [${this.shape.join(", ")}]`);
    return value;
  }

  set(value: number, i: number, j = 0, k = 0, l = 0): void {
    const index = ((i * this.#d1 + j) * this.#d2 + k) * this.#d3 + l;
    if (index >= this.data.length)
      throw new RangeError(`index ${i}, ${j}, ${k}, ${l} is outside [${this.shape.join(", ")}]`);
    this.data[index] = value;
  }

  add(value: number, i: number, j = 0, k = 0, l = 0): void {
    this.set(this.at(i, j, k, l) + value, i, j, k, l);
  }

  /** Adds as many values, element by element; returns this tensor. */
  addAll(values: ArrayLike<number>): this {
    if (values.length !== this.data.length)
      throw new RangeError(`${values.length} values do not fit a tensor of ${this.data.length}`);
    this.data.forEach((value, index) => {
      this.data[index] = value + must(values[index], "a value to add");
    });
    return this;
  }

  /** A tensor of the same shape that holds NaN everywhere: in an expectation, "left as it was". */
  static untouched(shape: readonly number[]): Tensor {
    const made = new Tensor(shape);
    made.data.fill(Number.NaN);
    return made;
  }
}

/** The sum of f(0) ... f(count - 1). */
export function sum(count: number, f: (index: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += f(i);
  return total;
}

/** ||actual - expected|| / ||expected||, or ||actual|| where nothing is expected but zeros. */
export function relativeError(actual: ArrayLike<number>, expected: Float32Array | Float64Array): number {
  if (actual.length !== expected.length) throw new RangeError(`${actual.length} values, ${expected.length} expected`);
  let difference = 0;
  let norm = 0;
  expected.forEach((value, i) => {
    difference += (must(actual[i], "a value") - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(norm === 0 ? difference : difference / norm);
}

/** Tensors [rows, heads, width] side by side along their heads. */
export function joinHeads(parts: readonly Tensor[]): Tensor {
  const first = must(parts[0], "a tensor to join");
  const [rows, width] = [first.size(0), first.size(2)];
  const heads = parts.reduce((total, part) => total + part.size(1), 0);
  const joined = new Tensor([rows, heads, width]);
  let begin = 0;
  for (const part of parts) {
    for (let row = 0; row < rows; row++)
      for (let head = 0; head < part.size(1); head++)
        for (let c = 0; c < width; c++) joined.set(part.at(row, head, c), row, begin + head, c);
    begin += part.size(1);
  }
  return joined;
}

/** `count` heads of a tensor [rows, heads, width], from head `first` on. */
export function pickHeads(from: Tensor, first: number, count: number): Tensor {
  const [rows, width] = [from.size(0), from.size(2)];
  const picked = new Tensor([rows, count, width]);
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < count; head++)
      for (let c = 0; c < width; c++) picked.set(from.at(row, first + head, c), row, head, c);
  return picked;
}
