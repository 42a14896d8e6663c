/** The parts of a double. */

const view = new DataView(new ArrayBuffer(8));

/** Sign, exponent and the upper 20 bits of the fraction, as a signed 32-bit number. */
export function highWord(x: number): number {
  view.setFloat64(0, x);
  return view.getInt32(0);
}

/** The number with another upper half. */
export function withHighWord(x: number, word: number): number {
  view.setFloat64(0, x);
  view.setInt32(0, word);
  return view.getFloat64(0);
}

/** The number with the lower half of its bits cleared. */
export function withoutLowWord(x: number): number {
  view.setFloat64(0, x);
  view.setInt32(4, 0);
  return view.getFloat64(0);
}

/** 2^exponent for exponents of normal numbers. */
export function powerOfTwo(exponent: number): number {
  view.setInt32(0, (exponent + 1023) << 20);
  view.setInt32(4, 0);
  return view.getFloat64(0);
}

/** A positive finite number as fraction * 2^exponent, fraction in [1, 2). */
export function splitExponent(x: number): { fraction: number; exponent: number } {
  const small = x < 2 ** -1022;
  const normal = small ? x * 2 ** 54 : x;
  const word = highWord(normal);
  const fraction = withHighWord(normal, (word & 0xfffff) | 0x3ff00000);
  return { fraction, exponent: (word >> 20) - 1023 - (small ? 54 : 0) };
}

/** x * 2^exponent, rounded once at most when x has few bits. */
export function scaleByPower(x: number, exponent: number): number {
  let value = x;
  let rest = exponent;
  while (rest > 1000) {
    value *= 2 ** 1000;
    rest -= 1000;
  }
  while (rest < -1000) {
    value *= 2 ** -1000;
    rest += 1000;
  }
  return value * powerOfTwo(rest);
}
