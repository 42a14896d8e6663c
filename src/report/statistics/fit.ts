/** Least-squares fits of learning curves: where does accuracy or code use go with steps or tokens. */
import { CURVES, type Curve } from "./curves";
import { mean, type Series, sum } from "./moments";
import { inverse } from "./normal-equations";
import { lagOneAutocorrelation } from "./serial";

export interface FittedParameter {
  readonly name: string;
  readonly value: number;
  /** For independent residuals of one size; null where the parameters are not determined. */
  readonly standardError: number | null;
}

export interface CurveFit {
  readonly curve: Curve["name"];
  readonly formula: string;
  readonly n: number;
  readonly parameters: readonly FittedParameter[];
  /** 1 - residual sum of squares / total sum of squares. */
  readonly rSquared: number;
  /** Akaike's criterion with the correction for few points: the lowest is the best of several; null with too few points for it. */
  readonly aicc: number | null;
  /** sqrt(residual sum of squares / (n - number of parameters)). */
  readonly residualDeviation: number;
  readonly largestResidual: { readonly x: number; readonly residual: number };
  /** Near 0 where the curve leaves nothing but noise. */
  readonly residualAutocorrelation: number | null;
  /** Measured less fitted, in the order of the points. */
  readonly residuals: readonly number[];
  /** Why the data do not determine the curve; null where they do. */
  readonly notIdentified: string | null;
}

/** A curve that could not be tried. */
export interface NoFit {
  readonly curve: Curve["name"];
  readonly formula: string;
  readonly reason: string;
}

/** Points of a coarse search; the last steps use all. */
const COARSE_POINTS = 300;
/** Of a longer series every second, third, ... point is used, so that a fit takes a second at most; `n` tells how many. */
const MOST_POINTS = 5000;

/**
 * Fits every shape. Deterministic: a grid over the nonlinear parameters with the linear ones solved exactly (variable projection, Golub and
 * Pereyra 1973), then Levenberg-Marquardt from the best grid point.
 *
 * @param allX finite, ascending
 * @param allY as many
 */
export function fitCurves(allX: Series, allY: Series): (CurveFit | NoFit)[] {
  const stride = Math.ceil(allX.length / MOST_POINTS);
  const [x, y] = [allX, allY].map((series) => Array.from(series).filter((_, i) => i % stride === 0)) as [
    number[],
    number[],
  ];
  return CURVES.map((curve) => {
    const reason = obstacle(curve, x, y);
    const { name, formula } = curve;
    return reason === undefined ? fitted(curve, x, y) : { curve: name, formula, reason };
  });
}

/** The identified fit with the lowest criterion. */
export function bestFit(fits: readonly (CurveFit | NoFit)[]): CurveFit | undefined {
  return fits
    .filter((each): each is CurveFit => "rSquared" in each && each.notIdentified === null && each.aicc !== null)
    .sort((a, b) => (a.aicc ?? 0) - (b.aicc ?? 0))[0];
}

/** The height of a fitted curve. */
export function fittedValue(fitted: CurveFit, x: number): number {
  const curve = CURVES.find(({ name }) => name === fitted.curve);
  return curve === undefined
    ? Number.NaN
    : curve.value(
        x,
        fitted.parameters.map(({ value }) => value),
      );
}

function obstacle(curve: Curve, x: Series, y: Series): string | undefined {
  const needed = curve.parameters.length + 3;
  if (x.length < needed) return `needs ${needed} points, and there are ${x.length}`;
  if (Array.from(y).every((value) => value === y[0])) return "the series is constant";
  if (Array.from(x).every((value) => value === x[0])) return "all points have the same x";
  if (!curve.linear.withConstant && Array.from(x).some((value) => value <= 0)) return "needs x above 0";
  return undefined;
}

function fitted(curve: Curve, x: Series, y: Series): CurveFit {
  const n = x.length;
  const [low, high] = [x[0] ?? 0, x[n - 1] ?? 0];
  const at = refine(curve, x, y, coarse(curve, x, y, low, high));
  const residuals = Array.from({ length: n }, (_, i) => (y[i] ?? 0) - curve.value(x[i] ?? 0, at));
  const rss = sum(n, (i) => (residuals[i] ?? 0) ** 2);
  const centre = mean(y);
  const tss = sum(n, (i) => ((y[i] ?? 0) - centre) ** 2);
  const free = n - at.length;
  const covariance = inverse(normalMatrix(curve, x, at));
  const errors = at.map((_, k) =>
    covariance === undefined ? null : Math.sqrt(Math.max(0, (covariance[k]?.[k] ?? 0) * (rss / free))),
  );
  const largest = residuals.reduce(
    (best, value, i) => (Math.abs(value) > Math.abs(residuals[best] ?? 0) ? i : best),
    0,
  );
  const estimated = at.length + 1;
  return {
    curve: curve.name,
    formula: curve.formula,
    n,
    parameters: at.map((value, k) => ({ name: curve.parameters[k] ?? "", value, standardError: errors[k] ?? null })),
    rSquared: 1 - rss / tss,
    aicc:
      n - estimated - 1 > 0 && rss > 0
        ? n * Math.log(rss / n) + 2 * estimated + (2 * estimated * (estimated + 1)) / (n - estimated - 1)
        : null,
    residualDeviation: Math.sqrt(rss / free),
    largestResidual: { x: x[largest] ?? 0, residual: residuals[largest] ?? 0 },
    residualAutocorrelation: lagOneAutocorrelation(residuals),
    residuals,
    notIdentified: doubt(curve, at, errors, low, high) ?? null,
  };
}

/** Why the parameters mean nothing, if they do not. */
function doubt(
  curve: Curve,
  at: readonly number[],
  errors: readonly (number | null)[],
  low: number,
  high: number,
): string | undefined {
  const unseen = curve.unseen(at, low, high);
  if (unseen !== undefined) return unseen;
  for (const [k, name] of curve.parameters.entries()) {
    const error = errors[k] ?? null;
    if (error === null || !Number.isFinite(error)) return "other parameters fit as well";
    // A floor may well be 0 and a middle has no size of its own; every other parameter must differ from 0.
    const size = name === "middle" || name === "floor" || name === "plateau" ? undefined : Math.abs(at[k] ?? 0);
    if (size !== undefined && 2 * error > size) return `${name} is not told from 0`;
  }
  return undefined;
}

/** The grid point, with its best linear parameters, that leaves the least over a thinned set of points. */
function coarse(curve: Curve, x: Series, y: Series, low: number, high: number): number[] {
  const stride = Math.max(1, Math.ceil(x.length / COARSE_POINTS));
  const picked = Array.from(x, (_, i) => i).filter((i) => i % stride === 0 || i === x.length - 1);
  const [xs, ys] = [picked.map((i) => x[i] ?? 0), picked.map((i) => y[i] ?? 0)];
  let best: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const nonlinear of curve.grid(low, high)) {
    const basis = xs.map((each) => curve.linear.basis(each, nonlinear));
    const [constant, factor] = linearParts(basis, ys, curve.linear.withConstant);
    const rss = basis.reduce((total, b, i) => total + ((ys[i] ?? 0) - constant - factor * b) ** 2, 0);
    if (rss < least) [least, best] = [rss, curve.assemble(constant, factor, nonlinear)];
  }
  return best;
}

function linearParts(basis: readonly number[], y: readonly number[], withConstant: boolean): [number, number] {
  const [b0, y0] = withConstant ? [mean(basis), mean(y)] : [0, 0];
  let [bb, by] = [0, 0];
  for (const [i, b] of basis.entries()) {
    bb += (b - b0) ** 2;
    by += (b - b0) * ((y[i] ?? 0) - y0);
  }
  const factor = bb > 0 ? by / bb : 0;
  return [y0 - factor * b0, factor];
}

/** Levenberg-Marquardt on all points until a step no longer helps. */
function refine(curve: Curve, x: Series, y: Series, start: readonly number[]): number[] {
  const n = x.length;
  const cost = (at: readonly number[]) => sum(n, (i) => ((y[i] ?? 0) - curve.value(x[i] ?? 0, at)) ** 2);
  let at = [...start];
  let current = cost(at);
  let damping = 1e-3;
  for (let round = 0; round < 200 && damping < 1e12; round++) {
    const matrix = normalMatrix(curve, x, at);
    const slope = at.map(() => 0);
    for (let i = 0; i < n; i++) {
      const residual = (y[i] ?? 0) - curve.value(x[i] ?? 0, at);
      for (const [k, g] of curve.gradient(x[i] ?? 0, at).entries()) slope[k] = (slope[k] ?? 0) + g * residual;
    }
    const solved = inverse(
      matrix.map((row, i) => row.map((value, j) => (i === j ? value * (1 + damping) : value))),
      1e-14,
    );
    const next =
      solved && at.map((value, i) => value + (solved[i] ?? []).reduce((s, v, j) => s + v * (slope[j] ?? 0), 0));
    const reached = next === undefined ? Number.NaN : cost(next);
    if (next === undefined || !(reached < current)) {
      damping *= 10;
      continue;
    }
    const gained = current - reached;
    [at, current] = [next, reached];
    damping = Math.max(1e-12, damping / 10);
    if (gained <= 1e-15 * current) break;
  }
  return at;
}

/** J^T J of the curve's derivatives over all points. */
function normalMatrix(curve: Curve, x: Series, at: readonly number[]): number[][] {
  const matrix = at.map(() => at.map(() => 0));
  for (let i = 0; i < x.length; i++) {
    const gradient = curve.gradient(x[i] ?? 0, at);
    for (const [j, row] of matrix.entries())
      for (let k = 0; k < row.length; k++) row[k] = (row[k] ?? 0) + (gradient[j] ?? 0) * (gradient[k] ?? 0);
  }
  return matrix;
}
