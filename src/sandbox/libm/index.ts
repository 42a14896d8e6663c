/**
 * The C library's elementary functions for the guest: pure functions of one or two doubles. They give the digits that
 * CPython prints on Linux (glibc) where the ones compiled into the wasm file are off by one in the last. Only
 * operations that IEEE 754 fixes to the last bit are used, so all machines agree.
 */
import { erf, erfc } from "./erf";
import { exp, exp2, log, log2, pow } from "./exponential";
import { acosh, asinh, atanh, cbrt, cosh, expm1, hypot, log1p, log10, sinh, tanh } from "./sun";
import { acos, asin, atan, atan2, cos, sin, tan } from "./trigonometric";

/** Functions of one argument by their names in C. */
export const UNARY = {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cbrt,
  cos,
  cosh,
  erf,
  erfc,
  exp,
  exp2,
  expm1,
  log,
  log10,
  log1p,
  log2,
  sin,
  sinh,
  tan,
  tanh,
} as const;

/** Functions of two arguments. */
export const BINARY = { atan2, hypot, pow } as const;
