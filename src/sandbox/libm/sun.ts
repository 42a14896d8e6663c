/**
 * Functions that the C library of Linux takes from fdlibm, with errors of up to a unit in the last place: to print the
 * same digits, the same operations have to be done in the same order, not better ones. Written anew; the methods and
 * coefficients are fdlibm's, whose notice is:
 *
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc.
 * business. Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice
 * is preserved.
 */
import { highWord, powerOfTwo, scaleByPower, splitExponent, withHighWord } from "./bits";
import { exp, log } from "./exponential";

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const INVERSE_LN2 = Math.LOG2E;

/** c0 + c1 z + c2 z^2 ..., two terms at a time, from the left; of at most ten coefficients, in a hot loop. */
export function inPairs(z: number, coefficients: readonly number[]): number {
  const square = z * z;
  const fourth = square * square;
  const powers = [1, square, fourth, fourth * square, fourth * fourth];
  let sum = 0;
  for (let i = 0; i < coefficients.length; i += 2) {
    const next = coefficients[i + 1];
    const pair = (coefficients[i] as number) + (next === undefined ? 0 : z * next);
    sum = i === 0 ? pair : sum + (powers[i / 2] as number) * pair;
  }
  return sum;
}

const EXPM1 = [
  1, -0.03333333333333313, 0.0015873015872548146, -7.93650757867488e-5, 4.008217827329362e-6, -2.0109921818362437e-7,
];

/** x = k ln 2 + rest; rest and what was rounded off it. */
function expm1Reduce(x: number): { k: number; rest: number; lost: number } {
  const size = Math.abs(x);
  const sign = x < 0 ? -1 : 1;
  const k = highWord(size) < 0x3ff0a2b2 ? sign : Math.trunc(INVERSE_LN2 * x + sign * 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const rest = high - low;
  return { k, rest, lost: high - rest - low };
}

export function expm1(x: number): number {
  const word = highWord(x) & 0x7fffffff;
  if (Number.isNaN(x) || x === Infinity) return x;
  if (word >= 0x4043687a) {
    if (x < 0) return -1;
    if (x > 709.782712893384) return Infinity;
  }
  if (word < 0x3c900000) return x;
  const { k, rest, lost } = word > 0x3fd62e42 ? expm1Reduce(x) : { k: 0, rest: x, lost: 0 };
  const half = 0.5 * rest;
  const square = rest * half;
  const r = inPairs(square, EXPM1);
  const t = 3 - r * half;
  let e = square * ((r - t) / (6 - rest * t));
  if (k === 0) return rest - (rest * e - square);
  e = rest * (e - lost) - lost - square;
  if (k === -1) return 0.5 * (rest - e) - 0.5;
  if (k === 1) return rest < -0.25 ? -2 * (e - (rest + 0.5)) : 1 + 2 * (rest - e);
  if (k <= -2 || k > 56) return scaleByPower(1 - (e - rest), k) - 1;
  if (k < 20) return (1 - powerOfTwo(-k) - (e - rest)) * powerOfTwo(k);
  return (rest - (e + powerOfTwo(-k)) + 1) * powerOfTwo(k);
}

const LOG1P = [
  0, 0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
  0.15313837699209373, 0.14798198605116586,
];

/** 1 + x = 2^k (1 + f), with what was rounded off 1 + x. */
function log1pReduce(x: number): { k: number; f: number; lost: number; upper: number } {
  let upper = highWord(x);
  const sum = upper < 0x43400000 ? 1 + x : x;
  upper = highWord(sum);
  let k = (upper >> 20) - 1023;
  const lost = sum === x ? 0 : (k > 0 ? 1 - (sum - x) : x - (sum - 1)) / sum;
  upper &= 0xfffff;
  if (upper < 0x6a09e) return { k, f: withHighWord(sum, upper | 0x3ff00000) - 1, lost, upper };
  k++;
  return { k, f: withHighWord(sum, upper | 0x3fe00000) - 1, lost, upper: (0x100000 - upper) >> 2 };
}

export function log1p(x: number): number {
  if (Number.isNaN(x) || x < -1) return Number.NaN;
  if (x === -1) return -Infinity;
  if (x === Infinity) return x;
  const word = highWord(x);
  const size = word & 0x7fffffff;
  if (size < 0x3e200000) return size < 0x3c900000 ? x : x - x * x * 0.5;
  const near = word < 0x3fda827a && (word > 0 || word <= (0xbfd2bec3 | 0));
  const { k, f, lost, upper } = near ? { k: 0, f: x, lost: 0, upper: 1 } : log1pReduce(x);
  const halfSquare = 0.5 * f * f;
  if (upper === 0) {
    if (f === 0) return k === 0 ? 0 : k * LN2_HIGH + (lost + k * LN2_LOW);
    const r = halfSquare * (1 - 0.6666666666666666 * f);
    return k === 0 ? f - r : k * LN2_HIGH - (r - (k * LN2_LOW + lost) - f);
  }
  const s = f / (2 + f);
  const r = inPairs(s * s, LOG1P);
  if (k === 0) return f - (halfSquare - s * (halfSquare + r));
  return k * LN2_HIGH - (halfSquare - (s * (halfSquare + r) + (k * LN2_LOW + lost)) - f);
}

/** The smallest size of the argument of sinh and cosh whose halved exponential overflows. */
const OVERFLOW = 710.4758600739439;
const EXP_OVERFLOW = 709.782712893384;

/** e^size / 2 where e^size may overflow. */
function halfExponential(size: number): number {
  if (size < EXP_OVERFLOW) return 0.5 * exp(size);
  if (size > OVERFLOW) return Infinity;
  const root = exp(0.5 * size);
  return 0.5 * root * root;
}

export function sinh(x: number): number {
  const size = Math.abs(x);
  if (!Number.isFinite(x) || size < 2 ** -28) return x;
  const half = x < 0 ? -0.5 : 0.5;
  if (size >= 22) return x < 0 ? -halfExponential(size) : halfExponential(size);
  const t = expm1(size);
  return size < 1 ? half * (2 * t - (t * t) / (t + 1)) : half * (t + t / (t + 1));
}

export function cosh(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  const word = highWord(size);
  if (word < 0x3fd62e43) {
    if (word < 0x3c800000) return 1;
    const t = expm1(size);
    const w = 1 + t;
    return 1 + (t * t) / (w + w);
  }
  if (size >= 22) return halfExponential(size);
  const t = exp(size);
  return 0.5 * t + 0.5 / t;
}

export function tanh(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x) || size < 2 ** -55) return x;
  let value = 1;
  if (size < 1) {
    const t = expm1(-2 * size);
    value = -t / (t + 2);
  } else if (size < 22) value = 1 - 2 / (expm1(2 * size) + 2);
  return x < 0 ? -value : value;
}

export function asinh(x: number): number {
  const size = Math.abs(x);
  if (!Number.isFinite(x) || size < 2 ** -28) return x;
  const word = highWord(size);
  let value: number;
  if (word > 0x41b00000) value = log(size) + Math.LN2;
  else if (word > 0x40000000) value = log(2 * size + 1 / (Math.sqrt(size * size + 1) + size));
  else {
    const t = size * size;
    value = log1p(size + t / (1 + Math.sqrt(1 + t)));
  }
  return x < 0 ? -value : value;
}

export function acosh(x: number): number {
  if (!(x >= 1)) return Number.NaN;
  if (x === Infinity) return x;
  if (x > 2 ** 28) return log(x) + Math.LN2;
  if (x > 2) return log(2 * x - 1 / (x + Math.sqrt(x * x - 1)));
  const t = x - 1;
  return log1p(t + Math.sqrt(2 * t + t * t));
}

export function atanh(x: number): number {
  const size = Math.abs(x);
  if (size === 1) return x * Infinity;
  if (!(size < 1)) return Number.NaN;
  if (size < 2 ** -28) return x;
  const twice = size + size;
  const value = 0.5 * log1p(size < 0.5 ? twice + (twice * size) / (1 - size) : twice / (1 - size));
  return x < 0 ? -value : value;
}

export function log10(x: number): number {
  if (!(x > 0) || x === Infinity) return log(x);
  const { fraction, exponent } = splitExponent(x);
  // Below 1 the fraction is taken from [0.5, 1), so that the two parts have one sign.
  const whole = exponent < 0 ? exponent + 1 : exponent;
  const rest = exponent < 0 ? fraction / 2 : fraction;
  return whole * 3.694239077158931e-13 + Math.LOG10E * log(rest) + whole * 0.30102999566361177;
}

/** Products of powers of the cube root of 2, by the remainder of the exponent: -2 to 2. */
const CUBE_ROOTS = [1 / 1.5874010519681996, 1 / 1.2599210498948732, 1, 1.2599210498948732, 1.5874010519681996];

/** A polynomial of degree six and one step of Halley's method. */
export function cbrt(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const split = splitExponent(Math.abs(x));
  const [m, exponent] = [split.fraction / 2, split.exponent + 1];
  const inner = 2.4469312256353444 - (1.8346927748361308 - (0.7849323449766392 - 0.14526389938548637 * m) * m) * m;
  const u = 0.35489576504391984 + (1.508191937815849 - (2.114994941673713 - inner * m) * m) * m;
  const cube = u * u * u;
  const root = ((u * (cube + 2 * m)) / (2 * cube + m)) * (CUBE_ROOTS[2 + (exponent % 3)] ?? 1);
  return scaleByPower(x < 0 ? -root : root, Math.trunc(exponent / 3));
}

/** One step of correction after the square root (C. F. Borges, 2019, arXiv:1904.09481, without fused operations). */
function correctedHypot(x: number, y: number): number {
  const h = Math.sqrt(x * x + y * y);
  let [first, second] = [0, 0];
  if (h <= 2 * y) {
    const delta = h - y;
    first = x * (2 * delta - x);
    second = (delta - 2 * (x - y)) * delta;
  } else {
    const delta = h - x;
    first = 2 * delta * (x - 2 * y);
    second = (4 * delta - y) * y + delta * delta;
  }
  return h - (first + second) / (2 * h);
}

export function hypot(a: number, b: number): number {
  const [x, y] = Math.abs(a) < Math.abs(b) ? [Math.abs(b), Math.abs(a)] : [Math.abs(a), Math.abs(b)];
  if (x === Infinity || y === Infinity) return Infinity;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (y <= x * 2 ** -54) return x + y;
  if (x > 2 ** 511) return correctedHypot(x * 2 ** -600, y * 2 ** -600) * 2 ** 600;
  if (y < 2 ** -459) return correctedHypot(x * 2 ** 600, y * 2 ** 600) * 2 ** -600;
  return correctedHypot(x, y);
}
