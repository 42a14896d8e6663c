/** Shapes of a learning curve, each with its derivatives by the parameters. */

export interface Curve {
  readonly name: "exponential" | "logistic" | "power law";
  readonly formula: string;
  readonly parameters: readonly string[];
  value(x: number, at: readonly number[]): number;
  /** Derivatives by each parameter, in their order. */
  gradient(x: number, at: readonly number[]): number[];
  /** Given the nonlinear parameters, the function of x that the curve is linear in, and whether a constant is added. */
  readonly linear: { basis(x: number, nonlinear: readonly number[]): number; readonly withConstant: boolean };
  /** Where a search for the nonlinear parameters starts: a grid over the range of x. */
  grid(low: number, high: number): number[][];
  /** The parameters from the constant, the factor of the basis, and the nonlinear ones. */
  assemble(constant: number, factor: number, nonlinear: readonly number[]): number[];
  /** Why data from `low` to `high` do not show the curve's shape; undefined where they do. */
  unseen(at: readonly number[], low: number, high: number): string | undefined;
}

const geometric = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, i) => from * (to / from) ** (i / (count - 1)));
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const unpack = (at: readonly number[]) => [at[0] ?? 0, at[1] ?? 0, at[2] ?? 1, at[3] ?? 1] as const;

const exponential: Curve = {
  name: "exponential",
  formula: "plateau - gap * exp(-x / scale)",
  parameters: ["plateau", "gap", "scale"],
  value: (x, at) => {
    const [plateau, gap, scale] = unpack(at);
    return plateau - gap * Math.exp(-x / scale);
  },
  gradient: (x, at) => {
    const [, gap, scale] = unpack(at);
    const decay = Math.exp(-x / scale);
    return [1, -decay, (-gap * decay * x) / scale ** 2];
  },
  linear: { basis: (x, [scale = 1]) => Math.exp(-x / scale), withConstant: true },
  grid: (low, high) => geometric((high - low) / 200, 20 * (high - low), 60).map((scale) => [scale]),
  assemble: (constant, factor, [scale = 1]) => [constant, -factor, scale],
  unseen: (at, low, high) => {
    const scale = at[2] ?? 0;
    if (scale > high - low) return "the curve has not bent within the data";
    if (scale < (high - low) / 100) return "the curve is over before the data show it";
    return undefined;
  },
};

const logistic: Curve = {
  name: "logistic",
  formula: "floor + rise / (1 + exp(-(x - middle) / width))",
  parameters: ["floor", "rise", "middle", "width"],
  value: (x, at) => {
    const [floor, rise, middle, width] = unpack(at);
    return floor + rise * sigmoid((x - middle) / width);
  },
  gradient: (x, at) => {
    const [, rise, middle, width] = unpack(at);
    const z = (x - middle) / width;
    const s = sigmoid(z);
    const slope = rise * s * (1 - s);
    return [1, s, -slope / width, (-slope * z) / width];
  },
  linear: { basis: (x, [middle = 0, width = 1]) => sigmoid((x - middle) / width), withConstant: true },
  grid: (low, high) =>
    Array.from({ length: 21 }, (_, i) => low + ((high - low) * i) / 20).flatMap((middle) =>
      geometric((high - low) / 100, high - low, 15).map((width) => [middle, width]),
    ),
  assemble: (constant, factor, [middle = 0, width = 1]) => [constant, factor, middle, width],
  unseen: (at, low, high) => {
    const [, , middle, width] = unpack(at);
    if (middle < low || middle > high) return "the middle of the rise lies outside the data";
    if (width > (high - low) / 2) return "the data show too little of the rise to tell floor and ceiling";
    return undefined;
  },
};

const powerLaw: Curve = {
  name: "power law",
  formula: "factor * x^exponent",
  parameters: ["factor", "exponent"],
  value: (x, at) => (at[0] ?? 0) * x ** (at[1] ?? 0),
  gradient: (x, at) => {
    const power = x ** (at[1] ?? 0);
    return [power, (at[0] ?? 0) * power * Math.log(x)];
  },
  linear: { basis: (x, [exponent = 0]) => x ** exponent, withConstant: false },
  grid: () => Array.from({ length: 81 }, (_, i) => [(i - 40) / 10]),
  assemble: (_, factor, [exponent = 0]) => [factor, exponent],
  unseen: () => undefined,
};

/** The shapes that are tried, in the order in which they are shown. */
export const CURVES: readonly Curve[] = [exponential, logistic, powerLaw];
