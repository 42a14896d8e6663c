/**
 * Arithmetic on unevaluated sums of two doubles (T. J. Dekker, 1971; D. E. Knuth, TAOCP 2). Relative error about
 * 2^-102.
 */
import type { Pair } from "./fixed";

const SPLIT = 2 ** 27 + 1;

/** Exact sum. */
export function twoSum(a: number, b: number): Pair {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}

/** Exact sum where |a| >= |b|. */
export function quickSum(a: number, b: number): Pair {
  const sum = a + b;
  return [sum, b - (sum - a)];
}

/** Exact product; both factors below 2^996. */
export function twoProduct(a: number, b: number): Pair {
  const product = a * b;
  const bigA = SPLIT * a;
  const highA = bigA - (bigA - a);
  const lowA = a - highA;
  const bigB = SPLIT * b;
  const highB = bigB - (bigB - b);
  const lowB = b - highB;
  return [product, highA * highB - product + highA * lowB + lowA * highB + lowA * lowB];
}

export function add(a: Pair, b: Pair): Pair {
  const [high, error] = twoSum(a[0], b[0]);
  const [low, rest] = twoSum(a[1], b[1]);
  const [first, second] = quickSum(high, error + low);
  return quickSum(first, second + rest);
}

export function multiply(a: Pair, b: Pair): Pair {
  const [high, low] = twoProduct(a[0], b[0]);
  return quickSum(high, low + (a[0] * b[1] + a[1] * b[0]));
}

export function scale(a: Pair, factor: number): Pair {
  const [high, low] = twoProduct(a[0], factor);
  return quickSum(high, low + a[1] * factor);
}

export const negate = (a: Pair): Pair => [-a[0], -a[1]];

export function divide(a: Pair, b: Pair): Pair {
  const first = a[0] / b[0];
  const rest = add(a, negate(scale(b, first)));
  const second = rest[0] / b[0];
  const last = add(rest, negate(scale(b, second)));
  const [high, low] = quickSum(first, second);
  return quickSum(high, low + last[0] / b[0]);
}

export function squareRoot(a: Pair): Pair {
  const root = Math.sqrt(a[0]);
  if (root === 0) return [0, 0];
  const rest = add(a, negate(twoProduct(root, root)));
  return quickSum(root, rest[0] / (2 * root));
}
