/**
 * exp, exp2, log, log2, pow: tables and short series in pairs of doubles, so that nearly every result is correctly
 * rounded.
 */
import { at } from "../../base/must";
import { powerOfTwo, scaleByPower, splitExponent } from "./bits";
import { FIXED_ONE, LN2, logStep, type Pair, powerSeries, toPair, toParts } from "./fixed";
import { add, multiply, negate, quickSum, scale, twoProduct, twoSum } from "./pair";

const STEPS = 128;
const THIRD = toPair(FIXED_ONE / 3n);
const SIXTH = toPair(FIXED_ONE / 6n);
const LN2_PAIR = toPair(LN2);
const LN2_PARTS = toParts(LN2, 32, 1);
const STEP_PARTS = toParts(LN2 / BigInt(STEPS), 32, 1);
const INVERSE_LN2 = toPair((FIXED_ONE * FIXED_ONE) / LN2);
const [LN2_HEAD = 0] = LN2_PARTS.parts;
const [STEP_HEAD = 0] = STEP_PARTS.parts;

/** 2^(i / STEPS). */
const POWERS: readonly Pair[] = (() => {
  const step = powerSeries(LN2 / BigInt(STEPS), 0, 1, 1n);
  let power = FIXED_ONE;
  return Array.from({ length: STEPS }, () => {
    const pair = toPair(power);
    power = (power * step) / FIXED_ONE;
    return pair;
  });
})();

const LEAST_INVERSE = 362;
/** -ln(i / 512) for i from LEAST_INVERSE to 724. */
const LOGS: readonly Pair[] = (() => {
  const logs: bigint[] = [];
  logs[512] = 0n;
  for (let i = 513; i <= 725; i++) logs[i] = at(logs, i - 1) - logStep(BigInt(i));
  for (let i = 511; i >= LEAST_INVERSE; i--) logs[i] = at(logs, i + 1) + logStep(BigInt(i + 1));
  return logs.slice(LEAST_INVERSE).map((log) => toPair(log));
})();

/** e^x as a pair in [1, 2) times 2^exponent; |x| below 800. */
function exponential(x: Pair): { value: Pair; exponent: number } {
  const n = Math.round((x[0] * STEPS) / LN2_PAIR[0]);
  const head = twoSum(x[0] - n * STEP_HEAD, x[1]);
  const r = add(head, scale(STEP_PARTS.rest, -n));
  const [h] = r;
  const tail = h * (1 / 24 + h * (1 / 120 + h * (1 / 720 + h * (1 / 5040 + h * (1 / 40320)))));
  const third = add(SIXTH, [tail, 0]);
  const second = add([0.5, 0], multiply(r, third));
  const less = multiply(r, add([1, 0], multiply(r, second)));
  const index = ((n % STEPS) + STEPS) % STEPS;
  const power = at(POWERS, index);
  return { value: add(power, multiply(power, less)), exponent: (n - index) / STEPS };
}

/** Rounds value * 2^exponent once, also where the result has fewer bits. */
function finish(value: Pair, exponent: number): number {
  const [high, low] = quickSum(value[0], value[1]);
  if (exponent >= -1021)
    return exponent > 1000 ? high * 2 ** 1000 * powerOfTwo(exponent - 1000) : high * powerOfTwo(exponent);
  if (exponent < -1080) return 0;
  // The last bit of a subnormal number is 2^-1074: adding a number with this last bit rounds there.
  const rounder = 1.5 * 2 ** (-1022 - exponent);
  const [sum, error] = twoSum(rounder, high);
  return scaleByPower(sum + (error + low) - rounder, exponent);
}

/** ln(fraction) + exponent * ln 2; fraction in [1, 2). */
function logParts(x: number): { log: Pair; exponent: number } {
  const split = splitExponent(x);
  const half = split.fraction > Math.SQRT2;
  const fraction = half ? split.fraction / 2 : split.fraction;
  const inverse = Math.round(512 / fraction);
  const [product, low] = twoProduct(fraction, inverse / 512);
  const r = quickSum(product - 1, low);
  const [h] = r;
  const tail = h * (1 / 4 - h * (1 / 5 - h * (1 / 6 - h * (1 / 7 - h * (1 / 8 - h * (1 / 9 - h / 10))))));
  const third = add(THIRD, [-tail, 0]);
  const second = add([0.5, 0], negate(multiply(r, third)));
  const less = multiply(r, add([1, 0], negate(multiply(r, second))));
  return {
    log: inverse === 512 ? less : add(at(LOGS, inverse - LEAST_INVERSE), less),
    exponent: split.exponent + (half ? 1 : 0),
  };
}

/** Natural logarithm of a positive finite number. */
function logarithm(x: number): Pair {
  const { log, exponent } = logParts(x);
  if (exponent === 0) return log;
  return add([exponent * LN2_HEAD, 0], add(scale(LN2_PARTS.rest, exponent), log));
}

/** What a logarithm is outside the positive finite numbers. */
const logOfOther = (x: number): number => (x === 0 ? -Infinity : x > 0 ? x : Number.NaN);
const isPositive = (x: number): boolean => x > 0 && x < Infinity;

export const log = (x: number): number => (isPositive(x) ? logarithm(x)[0] : logOfOther(x));

export function log2(x: number): number {
  if (!isPositive(x)) return logOfOther(x);
  const { log, exponent } = logParts(x);
  return add([exponent, 0], multiply(log, INVERSE_LN2))[0];
}

function exponentialOf(x: Pair): number {
  const { value, exponent } = exponential(x);
  return finish(value, exponent);
}

export function exp(x: number): number {
  if (!(x > -746)) return Number.isNaN(x) ? x : 0;
  return x > 710 ? Infinity : exponentialOf([x, 0]);
}

export function exp2(x: number): number {
  if (!(x > -1076)) return Number.isNaN(x) ? x : 0;
  if (x >= 1024) return Infinity;
  const whole = Math.round(x);
  const { value, exponent } = exponential(scale(LN2_PAIR, x - whole));
  return finish(value, exponent + whole);
}

/** As C's `pow`; the signs of zero and of negative bases follow IEEE 754. */
export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const magnitude = Math.abs(x);
  if (y === Infinity || y === -Infinity) return magnitude === 1 ? 1 : magnitude > 1 === y > 0 ? Infinity : 0;
  const whole = Math.floor(y) === y;
  const odd = whole && Math.abs(y) < 2 ** 53 && Math.abs(y % 2) === 1;
  const sign = odd && (x < 0 || Object.is(x, -0)) ? -1 : 1;
  if (magnitude === 0 || magnitude === Infinity) return sign * ((magnitude === 0) === y > 0 ? 0 : Infinity);
  if (x < 0 && !whole) return Number.NaN;
  if (y === 1) return x;
  if (y === -1) return 1 / x;
  if (y === 2) return x * x;
  const logged = logarithm(magnitude);
  const size = logged[0] * y;
  if (size > 710) return sign * Infinity;
  if (size < -746) return sign * 0;
  if (Math.abs(size) < 2 ** -60) return sign;
  return sign * exponentialOf(scale(logged, y));
}
