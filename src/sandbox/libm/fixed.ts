/**
 * Constants and table entries to as many bits as wanted: whole numbers in units of 2^-bits. Slow; used once per table.
 */

/** A value as the unevaluated sum of two doubles; the first is the sum, rounded. About 106 bits. */
export type Pair = readonly [high: number, low: number];

/** Bits behind the point of the tables' source. */
export const FIXED_BITS = 256n;
export const FIXED_ONE = 1n << FIXED_BITS;

const ARGUMENT_BITS = 1400n;

/**
 * sum of x^(2k+1) / (2k+1), x = numerator/denominator: signs alternate for the arctangent, not for its hyperbolic twin.
 */
function oddSeries(numerator: bigint, denominator: bigint, sign: bigint, bits: bigint): bigint {
  let power = (numerator << bits) / denominator;
  let sum = 0n;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k;
    power = (sign * power * numerator * numerator) / (denominator * denominator);
  }
  return sum;
}

/** Arctangent of a small fraction. */
export const arctangent = (numerator: bigint, denominator: bigint, bits = FIXED_BITS): bigint =>
  oddSeries(numerator, denominator, -1n, bits);

/** ln(n / (n - 1)). */
export const logStep = (n: bigint): bigint => 2n * oddSeries(1n, 2n * n - 1n, 1n, FIXED_BITS);

/** Pi by Machin's formula. */
export const pi = (bits = FIXED_BITS): bigint => 16n * arctangent(1n, 5n, bits) - 4n * arctangent(1n, 239n, bits);

export const LN2: bigint = logStep(2n);

/** The terms x^first / first!, x^(first + step) / (first + step)!, ... of e^x, every second one times `sign`. */
export function powerSeries(x: bigint, first: 0 | 1, step: 1 | 2, sign: bigint): bigint {
  let term = first === 0 ? FIXED_ONE : x;
  let sum = 0n;
  for (let k = first + 1; term !== 0n; k += step) {
    sum += term;
    for (let i = 0; i < step; i++) term = (term * x) / FIXED_ONE / BigInt(k + i);
    term *= sign;
  }
  return sum;
}

/** Nearest double; the conversion of a bigint rounds to nearest, ties to even. */
const toDouble = (value: bigint): number => Number(value) / 2 ** Number(FIXED_BITS);

/** A double as a fixed-point number; exact when it has no bits below 2^-bits. */
function fromDouble(value: number, bits: bigint): bigint {
  let exponent = 0;
  let whole = value;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    exponent++;
  }
  return (BigInt(whole) << bits) >> BigInt(exponent);
}

export function toPair(value: bigint): Pair {
  const high = toDouble(value);
  return [high, toDouble(value - fromDouble(high, FIXED_BITS))];
}

/**
 * As several doubles with `size` bits each, so that products with small whole numbers are exact, and a pair for the
 * rest.
 */
export function toParts(value: bigint, size: number, count: number): { parts: number[]; rest: Pair } {
  const parts: number[] = [];
  let left = value;
  for (let i = 0; i < count; i++) {
    const shift = BigInt(Math.max(left.toString(2).length - size, 0));
    const part = (left >> shift) << shift;
    parts.push(toDouble(part));
    left -= part;
  }
  return { parts, rest: toPair(left) };
}

let halfPiLong: bigint | undefined;

/** A large double modulo pi/2, reduced to [-pi/4, pi/4]: the number of quarter turns modulo 4 and what is left. */
export function reduceLarge(x: number): { quarter: number; rest: Pair } {
  halfPiLong ??= pi(ARGUMENT_BITS) / 2n;
  const whole = fromDouble(x, ARGUMENT_BITS);
  const turns = (2n * whole + halfPiLong) / (2n * halfPiLong);
  const rest = (whole - turns * halfPiLong) >> (ARGUMENT_BITS - FIXED_BITS);
  return { quarter: Number(turns & 3n), rest: toPair(rest) };
}
