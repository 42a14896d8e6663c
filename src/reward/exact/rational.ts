/** Exact fractions. The denominator is positive and shares no factor with the numerator. */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

/** Thrown where a value does not exist (1/0) or is too large to be held exactly. */
export class NoExactValue extends Error {
  override readonly name = "NoExactValue";
}

const MOST_BITS = 6000;
const LIMIT = 1n << BigInt(MOST_BITS);

export const ZERO: Rational = { n: 0n, d: 1n };
export const ONE: Rational = { n: 1n, d: 1n };

export function gcd(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** @throws NoExactValue for a zero denominator and for numbers of more than 6,000 bits. */
export function rational(n: bigint, d = 1n): Rational {
  if (d === 0n) throw new NoExactValue("division by zero");
  if (n > LIMIT || n < -LIMIT || d > LIMIT || d < -LIMIT) throw new NoExactValue("too large");
  if (d === 1n) return { n, d };
  const common = gcd(n, d);
  const sign = d < 0n ? -1n : 1n;
  return { n: (sign * n) / common, d: (sign * d) / common };
}

export const add = (a: Rational, b: Rational): Rational =>
  a.d === 1n && b.d === 1n ? rational(a.n + b.n) : rational(a.n * b.d + b.n * a.d, a.d * b.d);
export const negate = (a: Rational): Rational => ({ n: -a.n, d: a.d });
export const subtract = (a: Rational, b: Rational): Rational => add(a, negate(b));
export const multiply = (a: Rational, b: Rational): Rational => rational(a.n * b.n, a.d * b.d);
export const divide = (a: Rational, b: Rational): Rational => rational(a.n * b.d, a.d * b.n);
export const equal = (a: Rational, b: Rational): boolean => a.n === b.n && a.d === b.d;
export const isZero = (a: Rational): boolean => a.n === 0n;
export const isInteger = (a: Rational): boolean => a.d === 1n;

export function bitLength(value: bigint): number {
  return (value < 0n ? -value : value).toString(16).length * 4;
}

const SMALL = 1n << 64n;

/**
 * Steps of a budget that an operation on a number stands for: 1 for small ones, and for long ones what their greatest
 * common divisor takes.
 */
export function work(a: Rational): number {
  if (a.d < SMALL && a.n < SMALL && a.n > -SMALL) return 1;
  const words = Math.max(bitLength(a.n), bitLength(a.d)) / 64;
  return 1 + Math.ceil(2 * words + words ** 2 / 4);
}

/** @throws NoExactValue when the power does not exist or is too large. */
export function power(base: Rational, exponent: number): Rational {
  const size = Math.abs(exponent);
  if (size > 1 && size * Math.max(bitLength(base.n) - 4, bitLength(base.d) - 4, 1) > MOST_BITS * 4) {
    if (base.d !== 1n || (base.n !== 0n && base.n !== 1n && base.n !== -1n)) throw new NoExactValue("too large");
    return base.n === -1n && exponent % 2 === 0 ? ONE : base;
  }
  const raised = rational(base.n ** BigInt(size), base.d ** BigInt(size));
  return exponent < 0 ? rational(raised.d, raised.n) : raised;
}

/** Nearest double, also for numbers far beyond what its parts could be as doubles. */
export function toNumber(a: Rational): number {
  const direct = Number(a.n) / Number(a.d);
  if (Number.isFinite(direct) && (direct !== 0 || a.n === 0n)) return direct;
  const shift = bitLength(a.n) - bitLength(a.d) - 64;
  const scaled = shift > 0 ? a.n / (a.d << BigInt(shift)) : (a.n << BigInt(-shift)) / a.d;
  return Number(scaled) * 2 ** shift;
}

/** The value of a decimal literal such as `12`, `-3.50`, `.5`. */
export function decimal(text: string): Rational {
  const [whole = "", places = ""] = text.split(".");
  return rational(BigInt(`${whole}${places}` || "0"), 10n ** BigInt(places.length));
}

/** The exact root of a whole number; undefined when there is none. */
export function wholeRoot(value: bigint, index: number): bigint | undefined {
  if (value < 0n) return undefined;
  if (value < 2n) return value;
  const k = BigInt(index);
  let x = 1n << BigInt(Math.ceil(value.toString(2).length / index));
  for (;;) {
    const next = ((k - 1n) * x + value / x ** (k - 1n)) / k;
    if (next >= x) break;
    x = next;
  }
  return x ** k === value ? x : undefined;
}

/**
 * value = square^2 * rest, where rest is free of squares as far as can be told: factors are looked for up to 2,000. A
 * larger square that stays hidden makes equal roots look different, never different ones equal.
 */
export function squareFree(value: bigint): { square: bigint; rest: bigint } {
  let left = value;
  let square = 1n;
  let rest = 1n;
  for (let p = 2n; p <= 2000n && p * p <= left; p += p === 2n ? 1n : 2n) {
    while (left % (p * p) === 0n) {
      left /= p * p;
      square *= p;
    }
    if (left % p === 0n) {
      left /= p;
      rest *= p;
    }
  }
  const root = wholeRoot(left, 2);
  return root === undefined ? { square, rest: rest * left } : { square: square * root, rest };
}
