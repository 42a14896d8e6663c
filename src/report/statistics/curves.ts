/** Learning curves: the shapes that are fitted, each with its derivatives by the parameters. */
import { at } from "../../base/must";

export interface Curve {
  readonly name: "exponential" | "logistic" | "power law";
  readonly formula: string;
  readonly parameters: readonly string[];
  /** The curve of these parameters. */
  value(theta: readonly number[]): (x: number) => number;
  /** Its derivatives by each parameter, in their order. */
  gradient(theta: readonly number[]): (x: number) => number[];
  /** Given the nonlinear parameters, the function that the curve is linear in, and whether a constant is added. */
  readonly linear: { basis(nonlinear: readonly number[]): (x: number) => number; readonly withConstant: boolean };
  /** Where a search for the nonlinear parameters starts: a grid over the range of x. */
  grid(low: number, high: number): number[][];
  /** The parameters from the constant, the factor of the basis, and the nonlinear ones. */
  assemble(constant: number, factor: number, nonlinear: readonly number[]): number[];
  /** Why data from `low` to `high` do not show the curve's shape; undefined where they do. */
  unseen(theta: readonly number[], low: number, high: number): string | undefined;
}

const geometric = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, i) => from * (to / from) ** (i / (count - 1)));
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const two = (theta: readonly number[]) => [at(theta, 0), at(theta, 1)] as const;
const three = (theta: readonly number[]) => [...two(theta), at(theta, 2)] as const;
const four = (theta: readonly number[]) => [...three(theta), at(theta, 3)] as const;

const exponential: Curve = {
  name: "exponential",
  formula: "plateau - gap * exp(-x / scale)",
  parameters: ["plateau", "gap", "scale"],
  value(theta) {
    const [plateau, gap, scale] = three(theta);
    return (x) => plateau - gap * Math.exp(-x / scale);
  },
  gradient(theta) {
    const [, gap, scale] = three(theta);
    return (x) => {
      const decay = Math.exp(-x / scale);
      return [1, -decay, (-gap * decay * x) / scale ** 2];
    };
  },
  linear: {
    basis(nonlinear) {
      const scale = at(nonlinear, 0);
      return (x) => Math.exp(-x / scale);
    },
    withConstant: true,
  },
  grid: (low, high) => geometric((high - low) / 200, 20 * (high - low), 60).map((scale) => [scale]),
  assemble: (constant, factor, nonlinear) => [constant, -factor, ...nonlinear],
  unseen(theta, low, high) {
    const [, , scale] = three(theta);
    if (scale > high - low) return "the curve has not bent within the data";
    if (scale < (high - low) / 100) return "the curve is over before the data show it";
    return undefined;
  },
};

const logistic: Curve = {
  name: "logistic",
  formula: "floor + rise / (1 + exp(-(x - middle) / width))",
  parameters: ["floor", "rise", "middle", "width"],
  value(theta) {
    const [floor, rise, middle, width] = four(theta);
    return (x) => floor + rise * sigmoid((x - middle) / width);
  },
  gradient(theta) {
    const [, rise, middle, width] = four(theta);
    return (x) => {
      const z = (x - middle) / width;
      const s = sigmoid(z);
      const slope = rise * s * (1 - s);
      return [1, s, -slope / width, (-slope * z) / width];
    };
  },
  linear: {
    basis(nonlinear) {
      const [middle, width] = two(nonlinear);
      return (x) => sigmoid((x - middle) / width);
    },
    withConstant: true,
  },
  grid: (low, high) =>
    Array.from({ length: 21 }, (_, i) => low + ((high - low) * i) / 20).flatMap((middle) =>
      geometric((high - low) / 100, high - low, 15).map((width) => [middle, width]),
    ),
  assemble: (constant, factor, nonlinear) => [constant, factor, ...nonlinear],
  unseen(theta, low, high) {
    const [, , middle, width] = four(theta);
    if (middle < low || middle > high) return "the middle of the rise lies outside the data";
    if (width > (high - low) / 2) return "the data show too little of the rise to tell floor and ceiling";
    return undefined;
  },
};

const powerLaw: Curve = {
  name: "power law",
  formula: "factor * x^exponent",
  parameters: ["factor", "exponent"],
  value(theta) {
    const [factor, exponent] = two(theta);
    return (x) => factor * x ** exponent;
  },
  gradient(theta) {
    const [factor, exponent] = two(theta);
    return (x) => {
      const power = x ** exponent;
      return [power, factor * power * Math.log(x)];
    };
  },
  linear: {
    basis(nonlinear) {
      const exponent = at(nonlinear, 0);
      return (x) => x ** exponent;
    },
    withConstant: false,
  },
  grid: () => Array.from({ length: 81 }, (_, i) => [(i - 40) / 10]),
  assemble: (_, factor, nonlinear) => [factor, ...nonlinear],
  unseen: () => undefined,
};

/** The shapes that are tried, in the order in which they are shown. */
export const CURVES: readonly Curve[] = [exponential, logistic, powerLaw];
