/** Complex numbers in double precision, principal branches. */
export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const complex = (re: number, im = 0): Complex => ({ re, im });
export const ONE: Complex = complex(1);
export const I: Complex = complex(0, 1);

export const add = (a: Complex, b: Complex): Complex => complex(a.re + b.re, a.im + b.im);
export const subtract = (a: Complex, b: Complex): Complex => complex(a.re - b.re, a.im - b.im);
export const multiply = (a: Complex, b: Complex): Complex =>
  a.im === 0 && b.im === 0 ? complex(a.re * b.re) : complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
export const scale = (a: Complex, factor: number): Complex => complex(a.re * factor, a.im * factor);
export const size = (a: Complex): number => (a.im === 0 ? Math.abs(a.re) : Math.hypot(a.re, a.im));
export const hasValue = (a: Complex): boolean => Number.isFinite(a.re) && Number.isFinite(a.im);

export function divide(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) return complex(a.re / b.re);
  const square = b.re * b.re + b.im * b.im;
  return complex((a.re * b.re + a.im * b.im) / square, (a.im * b.re - a.re * b.im) / square);
}

export function exponential(a: Complex): Complex {
  const length = Math.exp(a.re);
  return a.im === 0 ? complex(length) : complex(length * Math.cos(a.im), length * Math.sin(a.im));
}

export function logarithm(a: Complex): Complex {
  return a.im === 0 && a.re > 0 ? complex(Math.log(a.re)) : complex(Math.log(size(a)), Math.atan2(a.im, a.re));
}

export function squareRoot(a: Complex): Complex {
  if (a.im === 0) return a.re >= 0 ? complex(Math.sqrt(a.re)) : complex(0, Math.sqrt(-a.re));
  const length = size(a);
  const re = Math.sqrt((length + a.re) / 2);
  const im = Math.sqrt((length - a.re) / 2);
  return complex(re, a.im < 0 ? -im : im);
}

/** Principal power. An odd whole root of a negative number is the real one, as in school. */
export function power(base: Complex, exponent: Complex): Complex {
  if (exponent.im === 0) {
    if (exponent.re === 0) return base.re === 0 && base.im === 0 ? complex(Number.NaN) : ONE;
    if (exponent.re === 0.5) return squareRoot(base);
    if (base.im === 0 && (base.re >= 0 || Number.isInteger(exponent.re))) return complex(base.re ** exponent.re);
    if (Number.isInteger(exponent.re) && Math.abs(exponent.re) <= 64) return wholePower(base, exponent.re);
    const odd = 1 / exponent.re;
    const whole = Math.round(odd);
    if (base.im === 0 && Math.abs(odd - whole) < 1e-9 && whole % 2 !== 0) return complex(-((-base.re) ** exponent.re));
  }
  if (base.re === 0 && base.im === 0) return exponent.re > 0 ? complex(0) : complex(Number.NaN);
  return exponential(multiply(exponent, logarithm(base)));
}

function wholePower(base: Complex, exponent: number): Complex {
  let result = ONE;
  for (let i = 0; i < Math.abs(exponent); i++) result = multiply(result, base);
  return exponent < 0 ? divide(ONE, result) : result;
}

const sine = (a: Complex): Complex =>
  a.im === 0 ? complex(Math.sin(a.re)) : complex(Math.sin(a.re) * Math.cosh(a.im), Math.cos(a.re) * Math.sinh(a.im));
const cosine = (a: Complex): Complex =>
  a.im === 0 ? complex(Math.cos(a.re)) : complex(Math.cos(a.re) * Math.cosh(a.im), -Math.sin(a.re) * Math.sinh(a.im));
const sinh = (a: Complex): Complex => scale(subtract(exponential(a), exponential(scale(a, -1))), 0.5);
const cosh = (a: Complex): Complex => scale(add(exponential(a), exponential(scale(a, -1))), 0.5);

function arcsine(a: Complex): Complex {
  if (a.im === 0 && Math.abs(a.re) <= 1) return complex(Math.asin(a.re));
  const inner = logarithm(add(multiply(I, a), squareRoot(subtract(ONE, multiply(a, a)))));
  return complex(inner.im, -inner.re);
}

function arctangent(a: Complex): Complex {
  if (a.im === 0) return complex(Math.atan(a.re));
  const turned = multiply(I, a);
  return multiply(complex(0, 0.5), subtract(logarithm(subtract(ONE, turned)), logarithm(add(ONE, turned))));
}

/** Functions of one argument by name. */
export const FUNCTIONS: Readonly<Record<string, (a: Complex) => Complex>> = {
  sin: sine,
  cos: cosine,
  tan: (a) => divide(sine(a), cosine(a)),
  cot: (a) => divide(cosine(a), sine(a)),
  sec: (a) => divide(ONE, cosine(a)),
  csc: (a) => divide(ONE, sine(a)),
  arcsin: arcsine,
  arccos: (a) => subtract(complex(Math.PI / 2), arcsine(a)),
  arctan: arctangent,
  arccot: (a) => arctangent(divide(ONE, a)),
  arcsec: (a) => subtract(complex(Math.PI / 2), arcsine(divide(ONE, a))),
  arccsc: (a) => arcsine(divide(ONE, a)),
  sinh,
  cosh,
  tanh: (a) => divide(sinh(a), cosh(a)),
  ln: logarithm,
  log: logarithm,
  exp: exponential,
  abs: (a) => complex(size(a)),
};
