/** sin, cos, tan and their inverses: tables and short series in pairs of doubles. */
import { at } from "../../base/must";
import { scaleByPower, splitExponent } from "./bits";
import { arctangent, FIXED_ONE, type Pair, pi, powerSeries, reduceLarge, toPair, toParts } from "./fixed";
import { add, divide, multiply, negate, scale, squareRoot, twoSum } from "./pair";

const STEPS = 128;
const PI = pi();
const HALF_PI = toPair(PI / 2n);
const PI_PAIR = toPair(PI);
const HALF_PI_PARTS = toParts(PI / 2n, 32, 2);
const [HALF_PI_HEAD = 0, HALF_PI_NEXT = 0] = HALF_PI_PARTS.parts;

/** Sine and cosine of i / STEPS up to pi/4. */
const CIRCLE: readonly { sine: Pair; cosine: Pair }[] = (() => {
  const step = FIXED_ONE / BigInt(STEPS);
  const [stepSine, stepCosine] = [powerSeries(step, 1, 2, -1n), powerSeries(step, 0, 2, -1n)];
  let [sine, cosine] = [0n, FIXED_ONE];
  return Array.from({ length: 102 }, () => {
    const point = { sine: toPair(sine), cosine: toPair(cosine) };
    [sine, cosine] = [
      (sine * stepCosine + cosine * stepSine) / FIXED_ONE,
      (cosine * stepCosine - sine * stepSine) / FIXED_ONE,
    ];
    return point;
  });
})();

/** Arctangent of i / STEPS. */
const ANGLES: readonly Pair[] = (() => {
  let angle = 0n;
  return Array.from({ length: STEPS + 1 }, (_, i) => {
    // atan a - atan b = atan((a - b) / (1 + a b))
    if (i > 0) angle += arctangent(BigInt(STEPS), BigInt(STEPS * STEPS + i * (i - 1)));
    return toPair(angle);
  });
})();

/** Quarter turns modulo 4, and what is left of the angle. */
function reduce(x: number): { quarter: number; rest: Pair } {
  if (Math.abs(x) < 0.78) return { quarter: 0, rest: [x, 0] };
  if (Math.abs(x) > 1e6) {
    const { quarter, rest } = reduceLarge(Math.abs(x));
    return x > 0 ? { quarter, rest } : { quarter: -quarter & 3, rest: negate(rest) };
  }
  const n = Math.round(x / HALF_PI[0]);
  const head = twoSum(x - n * HALF_PI_HEAD, -n * HALF_PI_NEXT);
  return { quarter: n & 3, rest: add(head, scale(HALF_PI_PARTS.rest, -n)) };
}

/** The nearest point of the table, and from there sin r and cos r - 1 of the angle that is left. */
function fromPoint(angle: Pair): { point: { sine: Pair; cosine: Pair }; sine: Pair; less: Pair } {
  const index = Math.round(angle[0] * STEPS);
  const point = at(CIRCLE, index);
  const r = add([-index / STEPS, 0], angle);
  const square = multiply(r, r);
  const [q] = square;
  const tail = -(q * r[0]) * (1 / 6 - q * (1 / 120 - q * (1 / 5040 - q / 362880)));
  const less = add(scale(square, -0.5), [q * q * (1 / 24 - q * (1 / 720 - q / 40320)), 0]);
  return { point, sine: add(r, [tail, 0]), less };
}

/** Sine of an angle in [-pi/4, pi/4]. */
function sineOf(angle: Pair): Pair {
  if (angle[0] < 0) return negate(sineOf(negate(angle)));
  const { point, sine, less } = fromPoint(angle);
  return add(point.sine, add(multiply(point.cosine, sine), multiply(point.sine, less)));
}

/** Cosine of an angle in [-pi/4, pi/4]. */
function cosineOf(angle: Pair): Pair {
  const { point, sine, less } = fromPoint(angle[0] < 0 ? negate(angle) : angle);
  return add(point.cosine, add(multiply(point.cosine, less), negate(multiply(point.sine, sine))));
}

const TINY = 2 ** -27;

export function sin(x: number): number {
  if (Math.abs(x) < TINY) return x;
  if (!Number.isFinite(x)) return Number.NaN;
  const { quarter, rest } = reduce(x);
  const [value] = quarter & 1 ? cosineOf(rest) : sineOf(rest);
  return quarter & 2 ? -value : value;
}

export function cos(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  const { quarter, rest } = reduce(x);
  const [value] = quarter & 1 ? sineOf(rest) : cosineOf(rest);
  return quarter === 1 || quarter === 2 ? -value : value;
}

export function tan(x: number): number {
  if (Math.abs(x) < TINY) return x;
  if (!Number.isFinite(x)) return Number.NaN;
  const { quarter, rest } = reduce(x);
  const [sine, cosine] = [sineOf(rest), cosineOf(rest)];
  return (quarter & 1 ? divide(negate(cosine), sine) : divide(sine, cosine))[0];
}

/** Angle of the point (x, y) in the first quarter. */
function angle(y: Pair, x: Pair): Pair {
  if (y[0] > x[0]) return add(HALF_PI, negate(angle(x, y)));
  const index = Math.round((y[0] / x[0]) * STEPS);
  const step = index / STEPS;
  const z = divide(add(y, scale(x, -step)), add(x, scale(y, step)));
  const q = z[0] * z[0];
  const tail = -(q * z[0]) * (1 / 3 - q * (1 / 5 - q * (1 / 7 - q * (1 / 9 - q / 11))));
  return add(at(ANGLES, index), add(z, [tail, 0]));
}

export function atan(x: number): number {
  const size = Math.abs(x);
  if (!(size >= TINY)) return x;
  const value = size > 2 ** 60 ? HALF_PI[0] : angle([size, 0], [1, 0])[0];
  return x < 0 ? -value : value;
}

/** Angle whose sine is the height of a point of the unit circle, and the other one; |x| <= 1. */
const across = (x: number): Pair => squareRoot(multiply(twoSum(1, -x), twoSum(1, x)));

export function asin(x: number): number {
  const size = Math.abs(x);
  if (size < TINY) return x;
  if (!(size <= 1)) return Number.NaN;
  const value = angle([size, 0], across(size))[0];
  return x < 0 ? -value : value;
}

export function acos(x: number): number {
  const size = Math.abs(x);
  if (!(size <= 1)) return Number.NaN;
  const value = angle(across(size), [size, 0]);
  return x < 0 ? add(PI_PAIR, negate(value))[0] : value[0];
}

/** Angle of a point whose coordinates are positive and finite; `behind` when x is to be taken negative. */
function angleOfPoint(y: number, x: number, behind: boolean): number {
  const { fraction, exponent } = splitExponent(x);
  const up = splitExponent(y);
  const ahead = up.exponent - exponent;
  if (ahead > 80) return HALF_PI[0];
  if (ahead < -80) return behind ? PI_PAIR[0] : y / x;
  const value = angle([scaleByPower(up.fraction, ahead), 0], [fraction, 0]);
  return behind ? add(PI_PAIR, negate(value))[0] : value[0];
}

/** As C's `atan2`; the signs of zero follow IEEE 754. */
export function atan2(y: number, x: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const negative = y < 0 || Object.is(y, -0);
  const behind = x < 0 || Object.is(x, -0);
  const [height, width] = [Math.abs(y), Math.abs(x)];
  let value: number;
  if (height === 0) value = behind ? PI_PAIR[0] : 0;
  else if (width === 0 || (height === Infinity && width !== Infinity)) value = HALF_PI[0];
  else if (height === Infinity) value = behind ? 3 * (PI_PAIR[0] / 4) : PI_PAIR[0] / 4;
  else if (width === Infinity) value = behind ? PI_PAIR[0] : 0;
  else value = angleOfPoint(height, width, behind);
  return negative ? -value : value;
}
