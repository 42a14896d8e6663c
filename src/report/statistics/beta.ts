/**
 * The regularised incomplete beta function in logarithms, so that tails far below the smallest double keep all their
 * digits.
 */

const HALF_LOG_TWO_PI = 0.9189385332046727;
/** From here on Stirling's series is exact to the last digit. */
const STIRLING_FROM = 10;

/**
 * ln I_x(a, b), where I is the share of a Beta(a, b) variable that lies below x.
 *
 * The continued fraction is that of DLMF 8.17.22, evaluated by the modified Lentz method; where it converges slowly,
 * I_x(a, b) = 1 - I_{1-x}(b, a) takes its place.
 *
 * @param logX ln x, at most 0
 * @param logRest ln(1 - x), at most 0; both are asked for, since a caller that has one in closed form has the other too
 * @param a positive
 * @param b positive
 */
export function logIncompleteBeta(logX: number, logRest: number, a: number, b: number): number {
  if (logX === Number.NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  if (logRest === Number.NEGATIVE_INFINITY) return 0;
  const x = Math.exp(logX);
  if (x <= (a + 1) / (a + b + 2)) return logFraction(logX, logRest, a, b);
  return Math.log1p(-Math.exp(logFraction(logRest, logX, b, a)));
}

/** ln of x^a (1-x)^b / (a B(a, b)) times the continued fraction. */
function logFraction(logX: number, logRest: number, a: number, b: number): number {
  const front = a * logX + b * logRest - Math.log(a) - logBeta(a, b);
  return front + Math.log(continuedFraction(Math.exp(logX), a, b));
}

/**
 * 1/(1+ d1/(1+ d2/(1+ ...))) with the coefficients of DLMF 8.17.23. About sqrt(max(a, b)) terms are needed at worst.
 */
function continuedFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const apart = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / apart(1 - ((a + b) * x) / (a + 1));
  let result = d;
  const most = 1000 + 10 * Math.ceil(Math.sqrt(Math.max(a, b)));
  for (let m = 1; m <= most; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / apart(1 + even * d);
    c = apart(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / apart(1 + odd * d);
    c = apart(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return result;
}

/** ln B(a, b) without the loss of digits that a difference of two large ln Γ would bring. */
export function logBeta(a: number, b: number): number {
  const large = Math.max(a, b);
  const small = Math.min(a, b);
  if (large < STIRLING_FROM) return logGamma(a) + logGamma(b) - logGamma(a + b);
  // ln Γ(large) - ln Γ(large + small), with the leading terms of Stirling's series subtracted by hand.
  const difference =
    small -
    (large - 0.5) * Math.log1p(small / large) -
    small * Math.log(large + small) +
    stirlingRest(large) -
    stirlingRest(large + small);
  return logGamma(small) + difference;
}

/** ln Γ(z) for z > 0: Stirling's series, reached by the recurrence from below. */
export function logGamma(z: number): number {
  let shift = 1;
  let at = z;
  while (at < STIRLING_FROM) {
    shift *= at;
    at += 1;
  }
  return (at - 0.5) * Math.log(at) - at + HALF_LOG_TWO_PI + stirlingRest(at) - Math.log(shift);
}

/** What Stirling's formula leaves out of ln Γ(z), z >= 10: the Bernoulli terms of DLMF 5.11.1. */
function stirlingRest(z: number): number {
  const w = 1 / (z * z);
  const terms = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];
  return terms.reduceRight((sum, term) => sum * w + term, 0) / z;
}
