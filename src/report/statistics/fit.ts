/** Least-squares fits of learning curves: where does accuracy or code use go with steps or tokens. */
import { at, must } from "../../base/must";
import { CURVES, type Curve } from "./curves";
import { compensatedMean, type Series, sum } from "./moments";
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
  /**
   * Akaike's criterion with the correction for few points: the lowest is the best of several; null with too few points.
   */
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

type Point = readonly [x: number, y: number];

/** Points of a coarse search; the last steps use all. */
const COARSE_POINTS = 300;
/**
 * Of a longer series every second, third, ... point is used, so that a fit takes a second at most; `n` tells how many.
 */
const MOST_POINTS = 5000;

/**
 * Fits every shape. Deterministic: a grid over the nonlinear parameters with the linear ones solved exactly (variable
 * projection, Golub and Pereyra 1973), then Levenberg-Marquardt from the best grid point.
 *
 * @param allX finite, ascending
 * @param allY as many
 */
export function fitCurves(allX: Series, allY: Series): (CurveFit | NoFit)[] {
  const stride = Math.ceil(allX.length / MOST_POINTS);
  const points = Array.from(allX, (x, i): Point => [x, at(allY, i)]).filter((_, i) => i % stride === 0);
  return CURVES.map((curve) => {
    const reason = obstacle(curve, points);
    const { name, formula } = curve;
    return reason === undefined ? fitted(curve, points) : { curve: name, formula, reason };
  });
}

/** The identified fit with the lowest criterion. */
export function bestFit(fits: readonly (CurveFit | NoFit)[]): CurveFit | undefined {
  let best: { readonly fit: CurveFit; readonly aicc: number } | undefined;
  for (const fit of fits) {
    if (!("rSquared" in fit) || fit.notIdentified !== null || fit.aicc === null) continue;
    if (best === undefined || fit.aicc < best.aicc) best = { fit, aicc: fit.aicc };
  }
  return best?.fit;
}

/** The height of a fitted curve. */
export function fittedValue(fit: CurveFit, x: number): number {
  const curve = must(
    CURVES.find(({ name }) => name === fit.curve),
    `the curve ${fit.curve}`,
  );
  return curve.value(fit.parameters.map(({ value }) => value))(x);
}

function obstacle(curve: Curve, points: readonly Point[]): string | undefined {
  const needed = curve.parameters.length + 3;
  if (points.length < needed) return `needs ${needed} points, and there are ${points.length}`;
  const [firstX, firstY] = at(points, 0);
  if (points.every(([, y]) => y === firstY)) return "the series is constant";
  if (points.every(([x]) => x === firstX)) return "all points have the same x";
  if (!curve.linear.withConstant && points.some(([x]) => x <= 0)) return "needs x above 0";
  return undefined;
}

function fitted(curve: Curve, points: readonly Point[]): CurveFit {
  const n = points.length;
  const [[low], [high]] = [at(points, 0), at(points, n - 1)];
  const theta = refine(curve, points, coarse(curve, points, low, high));
  const height = curve.value(theta);
  const residuals = points.map(([x, y]) => y - height(x));
  const rss = sum(residuals, (residual) => residual ** 2);
  const heights = points.map(([, y]) => y);
  const centre = compensatedMean(heights);
  const tss = sum(heights, (y) => (y - centre) ** 2);
  const free = n - theta.length;
  const covariance = inverse(normalMatrix(curve, points, theta));
  const errors = theta.map((_, k) =>
    covariance === undefined ? null : Math.sqrt(Math.max(0, at(at(covariance, k), k) * (rss / free))),
  );
  const largest = residuals.reduce((best, value, i) => (Math.abs(value) > Math.abs(at(residuals, best)) ? i : best), 0);
  const estimated = theta.length + 1;
  return {
    curve: curve.name,
    formula: curve.formula,
    n,
    parameters: theta.map((value, k) => ({ name: at(curve.parameters, k), value, standardError: at(errors, k) })),
    rSquared: 1 - rss / tss,
    aicc:
      n - estimated - 1 > 0 && rss > 0
        ? n * Math.log(rss / n) + 2 * estimated + (2 * estimated * (estimated + 1)) / (n - estimated - 1)
        : null,
    residualDeviation: Math.sqrt(rss / free),
    largestResidual: { x: at(points, largest)[0], residual: at(residuals, largest) },
    residualAutocorrelation: lagOneAutocorrelation(residuals),
    residuals,
    notIdentified: doubt(curve, theta, errors, low, high) ?? null,
  };
}

/** Why the parameters mean nothing, if they do not. */
function doubt(
  curve: Curve,
  theta: readonly number[],
  errors: readonly (number | null)[],
  low: number,
  high: number,
): string | undefined {
  const unseen = curve.unseen(theta, low, high);
  if (unseen !== undefined) return unseen;
  for (const [k, name] of curve.parameters.entries()) {
    const error = at(errors, k);
    if (error === null || !Number.isFinite(error)) return "other parameters fit as well";
    // A floor may well be 0 and a middle has no size of its own; every other parameter must differ from 0.
    if (name === "middle" || name === "floor" || name === "plateau") continue;
    if (2 * error > Math.abs(at(theta, k))) return `${name} is not told from 0`;
  }
  return undefined;
}

/** The grid point, with its best linear parameters, that leaves the least over a thinned set of points. */
function coarse(curve: Curve, points: readonly Point[], low: number, high: number): number[] {
  const stride = Math.max(1, Math.ceil(points.length / COARSE_POINTS));
  const picked = points.filter((_, i) => i % stride === 0 || i === points.length - 1);
  const heights = picked.map(([, y]) => y);
  let best: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const nonlinear of curve.grid(low, high)) {
    const basisOf = curve.linear.basis(nonlinear);
    const basis = picked.map(([x]) => basisOf(x));
    const [constant, factor] = linearParts(basis, heights, curve.linear.withConstant);
    const rss = basis.reduce((total, b, i) => total + (at(heights, i) - constant - factor * b) ** 2, 0);
    if (rss < least) [least, best] = [rss, curve.assemble(constant, factor, nonlinear)];
  }
  return best;
}

function linearParts(basis: readonly number[], y: readonly number[], withConstant: boolean): [number, number] {
  const [b0, y0] = withConstant ? [compensatedMean(basis), compensatedMean(y)] : [0, 0];
  let [bb, by] = [0, 0];
  for (const [i, b] of basis.entries()) {
    bb += (b - b0) ** 2;
    by += (b - b0) * (at(y, i) - y0);
  }
  const factor = bb > 0 ? by / bb : 0;
  return [y0 - factor * b0, factor];
}

/** Levenberg-Marquardt on all points until a step no longer helps. */
function refine(curve: Curve, points: readonly Point[], start: readonly number[]): number[] {
  const xs = points.map(([x]) => x);
  const heights = points.map(([, y]) => y);
  const cost = (theta: readonly number[]) => {
    const height = curve.value(theta);
    return sum(xs, (x, i) => (at(heights, i) - height(x)) ** 2);
  };
  let theta = [...start];
  let current = cost(theta);
  let damping = 1e-3;
  for (let round = 0; round < 200 && damping < 1e12; round++) {
    const matrix = normalMatrix(curve, points, theta);
    const slope = theta.map(() => 0);
    const [height, gradient] = [curve.value(theta), curve.gradient(theta)];
    for (const [x, y] of points) {
      const residual = y - height(x);
      for (const [k, g] of gradient(x).entries()) slope[k] = at(slope, k) + g * residual;
    }
    const solved = inverse(
      matrix.map((row, i) => row.map((value, j) => (i === j ? value * (1 + damping) : value))),
      1e-14,
    );
    const next = solved && theta.map((value, i) => value + at(solved, i).reduce((s, v, j) => s + v * at(slope, j), 0));
    const reached = next === undefined ? Number.NaN : cost(next);
    if (next === undefined || !(reached < current)) {
      damping *= 10;
      continue;
    }
    const gained = current - reached;
    [theta, current] = [next, reached];
    damping = Math.max(1e-12, damping / 10);
    if (gained <= 1e-15 * current) break;
  }
  return theta;
}

/** J^T J of the curve's derivatives over all points. */
function normalMatrix(curve: Curve, points: readonly Point[], theta: readonly number[]): number[][] {
  const matrix = theta.map(() => theta.map(() => 0));
  const gradient = curve.gradient(theta);
  for (const [x] of points) {
    const slopes = gradient(x);
    for (const [j, row] of matrix.entries())
      for (const [k, value] of row.entries()) row[k] = value + at(slopes, j) * at(slopes, k);
  }
  return matrix;
}

/**
 * Inverse of a small symmetric positive matrix by Gauss-Jordan with its diagonal scaled to 1 first; undefined where it
 * is singular to working precision, so that some mixture of the parameters changes nothing.
 */
function inverse(matrix: readonly (readonly number[])[], smallestPivot = 1e-10): number[][] | undefined {
  const n = matrix.length;
  const scale = matrix.map((row, i) => Math.sqrt(at(row, i)));
  if (scale.some((value) => !(value > 0) || !Number.isFinite(value))) return undefined;
  const work = matrix.map((row, i) => [
    ...row.map((value, j) => value / (at(scale, i) * at(scale, j))),
    ...scale.map((_, j) => Number(i === j)),
  ]);
  for (let k = 0; k < n; k++) {
    const pivot = at(at(work, k), k);
    if (!(pivot > smallestPivot)) return undefined;
    const scaled = at(work, k).map((value) => value / pivot);
    for (const [i, row] of work.entries())
      work[i] = i === k ? scaled : row.map((value, j) => value - at(row, k) * at(scaled, j));
  }
  return work.map((row, i) => row.slice(n).map((value, j) => value / (at(scale, i) * at(scale, j))));
}
