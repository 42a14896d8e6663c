import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../src/base/random";
import { bestFit, type CurveFit, fitCurves, fittedValue } from "../../src/report/statistics/fit";
import { hasScipy, scipy } from "./scipy";

function noise(seed: number, size: number): () => number {
  const random = new CounterRandom(seed, 0);
  return () => size * (random.fraction() - 0.5);
}

const steps = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

function fitted(x: readonly number[], y: readonly number[], curve: CurveFit["curve"]): CurveFit {
  const found = fitCurves(x, y).find((each) => each.curve === curve);
  if (found === undefined || !("rSquared" in found)) throw new Error(`no fit of ${curve}`);
  return found;
}

const values = (fit: CurveFit) => fit.parameters.map(({ value }) => value);

const SHAPES = {
  exponential: { truth: [0.9, 0.6, 40], of: (x: number) => 0.9 - 0.6 * Math.exp(-x / 40) },
  logistic: { truth: [0.1, 0.8, 60, 12], of: (x: number) => 0.1 + 0.8 / (1 + Math.exp(-(x - 60) / 12)) },
  "power law": { truth: [0.2, 0.3], of: (x: number) => 0.2 * x ** 0.3 },
} as const;

describe("curves", () => {
  it.each(Object.entries(SHAPES))(
    "%s is found again without noise, and is the best with some",
    (name, { truth, of }) => {
      const x = steps(150);
      const exact = fitted(x, x.map(of), name as CurveFit["curve"]);
      for (const [k, value] of values(exact).entries()) expect(value).toBeCloseTo(truth[k] ?? 0, 6);
      expect(exact.rSquared).toBeCloseTo(1, 12);
      expect(fittedValue(exact, 33.5)).toBeCloseTo(of(33.5), 8);
      const next = noise(1, 0.05);
      const best = bestFit(
        fitCurves(
          x,
          x.map((each) => of(each) + next()),
        ),
      );
      expect(best?.curve).toBe(name);
      for (const [k, { value, standardError }] of (best?.parameters ?? []).entries())
        expect(Math.abs(value - (truth[k] ?? 0))).toBeLessThan(4 * (standardError ?? 0));
      expect(Math.abs(best?.residualAutocorrelation ?? 1)).toBeLessThan(0.25);
    },
  );

  it("against tokens find the same curve as against steps", () => {
    const x = steps(100);
    const next = noise(2, 0.1);
    const y = x.map((each) => SHAPES.exponential.of(each) + next());
    const tokens = x.map((each) => each * 3.5e6);
    expect(values(fitted(tokens, y, "exponential"))[2]).toBeCloseTo(
      (values(fitted(x, y, "exponential"))[2] ?? 0) * 3.5e6,
      -2,
    );
    expect(fitted(tokens, y, "logistic").rSquared).toBeCloseTo(fitted(x, y, "logistic").rSquared, 8);
  });

  it("say when the data do not determine them", () => {
    const x = steps(60);
    const next = noise(3, 0.02);
    const line = x.map((each) => 0.2 + 0.003 * each + next());
    expect(fitted(x, line, "exponential").notIdentified).toBe("the curve has not bent within the data");
    const flat = x.map(() => 0.5 + next());
    for (const each of fitCurves(x, flat))
      expect("notIdentified" in each && each.notIdentified, each.curve).toBeTruthy();
    expect(bestFit(fitCurves(x, flat))).toBeUndefined();
    expect(
      fitCurves(
        x,
        x.map(() => 1),
      ).map((each) => "reason" in each && each.reason),
    ).toEqual(Array(3).fill("the series is constant"));
    expect(fitCurves([1, 2, 3], [1, 2, 4])[0]).toMatchObject({ reason: "needs 6 points, and there are 3" });
    expect(fitCurves([0, ...x], [0, ...line])[2]).toMatchObject({ reason: "needs x above 0" });
  });

  it("of a hundred thousand points are fitted to every twentieth", () => {
    const x = steps(100_000);
    const next = noise(4, 0.1);
    const y = x.map((each) => SHAPES.logistic.of(each / 500) + next());
    expect(bestFit(fitCurves(x, y))).toMatchObject({ curve: "logistic", n: 5000 });
  });
});

describe.skipIf(!hasScipy)("curves against scipy's curve_fit", () => {
  it("have its parameters and standard errors", () => {
    const x = steps(120);
    const next = noise(6, 0.2);
    const y = x.map((each) => SHAPES.logistic.of(each) + next());
    const reference = scipy(
      `x, y = np.array(data["x"], float), np.array(data["y"])
models = [
    (lambda x, c, a, s: c - a * np.exp(-x / s), [0.8, 0.6, 40]),
    (lambda x, c, a, m, w: c + a / (1 + np.exp(-(x - m) / w)), [0.1, 0.8, 60, 10]),
    (lambda x, a, b: a * x ** b, [0.1, 0.5]),
]
out = []
for model, start in models:
    at, covariance = optimize.curve_fit(model, x, y, p0=start, ftol=1e-15, xtol=1e-15, gtol=1e-15, maxfev=100000)
    out.append([list(at), list(np.sqrt(np.diag(covariance))), float(np.sum((y - model(x, *at)) ** 2))])
print(json.dumps(out))`,
      { x, y },
    ) as [number[], number[], number][];
    for (const [i, name] of (["exponential", "logistic", "power law"] as const).entries()) {
      const [at, errors, rss] = reference[i] ?? [[], [], 0];
      const ours = fitted(x, y, name);
      const ourRss = ours.residuals.reduce((total, value) => total + value ** 2, 0);
      expect(ourRss / rss).toBeCloseTo(1, 9);
      // The exponential runs off towards a line here, where its parameters trade against each other.
      if (name === "exponential") continue;
      for (const [k, { value, standardError }] of ours.parameters.entries()) {
        expect(value / (at[k] ?? 0)).toBeCloseTo(1, 5);
        expect((standardError ?? 0) / (errors[k] ?? 0)).toBeCloseTo(1, 3);
      }
    }
  });
});
