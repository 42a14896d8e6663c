import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../src/base/random";
import { logBeta, logGamma, logIncompleteBeta } from "../../src/report/statistics/beta";
import { averageRanks, described, logTwoSidedP, pearson, spearman } from "../../src/report/statistics/correlation";
import { compensatedMean, summarise } from "../../src/report/statistics/moments";
import { hasScipy, scipy } from "./scipy";

/** Fails unless |actual / expected - 1| is within the bound. */
function expectRelative(actual: number | null, expected: number, bound: number): void {
  const error = actual === expected ? 0 : Math.abs((actual ?? Number.NaN) / expected - 1);
  expect(error, `${actual} against ${expected}`).toBeLessThanOrEqual(bound);
}

/** Pairs with a known share of common noise, some of them rounded so that there are ties. */
function samples() {
  const random = new CounterRandom(11, 0);
  return Array.from({ length: 40 }, (_, k) => {
    const n = random.integer(3, k < 30 ? 62 : 3002);
    const grain = [1e6, 20, 4][k % 3] ?? 1;
    const mix = random.integer(0, 10) / 10;
    const x = Array.from({ length: n }, () => random.integer(0, grain - 1) / grain);
    const y = x.map(
      (value) => Math.round((mix * value + (1 - mix) * (random.integer(0, grain - 1) / grain)) * grain) / grain,
    );
    x[0] = 2;
    y[n - 1] = -1;
    return { x, y };
  });
}

/** r, n and ln p. */
const REFERENCE_P: [number, number, number][] = [
  [0.6863, 500, -161.51595140608578],
  [0.6637, 500, -147.52039083452166],
  [0.5, 3, -0.4054651081081644],
  [0.9, 5, -3.2864570110599574],
  [0.01, 500, -0.19419843250810717],
  [0.93, 500, -501.69260333959846],
  [0.9394, 500, -536.3986986927268],
  [0.3, 2000, -97.04325671383073],
  [0.99, 1000, -1958.2696265375225],
  [0.02, 1e6, -203.2636170426911],
  [0.04, 1e6, -804.5543752918535],
];

describe("average ranks", () => {
  it("give ties the mean of the ranks they cover", () => {
    expect([...averageRanks([5, 6, 7, 8, 7])]).toEqual([1, 2, 3.5, 5, 3.5]);
    expect([...averageRanks([2, 2, 2])]).toEqual([2, 2, 2]);
    expect([...averageRanks([0, -0, -1])]).toEqual([2.5, 2.5, 1]);
    expect([...averageRanks([])]).toEqual([]);
  });
});

describe("p-values", () => {
  it("are those of known pairs", () => {
    const five = spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]);
    expectRelative(five.coefficient, 0.8207826816681233, 1e-15);
    expectRelative(five.p, 0.08858700531354381, 1e-13);
    expect(described(0.6863, 500).p?.toExponential(4)).toBe("7.1534e-71");
    expect(described(0.6637, 500).p?.toExponential(4)).toBe("8.5646e-65");
    expect(described(0.68632, 500).p?.toExponential(2)).toBe("7.06e-71");
    expect(described(0.6863, 500).t).toBeCloseTo(21.057, 3);
    expect(described(0.6863, 500).fisher?.map((end) => end.toFixed(3))).toEqual(["0.637", "0.730"]);
  });

  // From mpmath with 60 digits: betainc(df/2, 1/2, 0, 1 - r^2, regularized=True), r taken as a double.
  it.each(REFERENCE_P)("ln p of r = %d, n = %d", (r, n, lnP) => {
    expect(Math.abs(logTwoSidedP(r, n) - lnP)).toBeLessThanOrEqual(1e-10);
    expect(logTwoSidedP(-r, n)).toBe(logTwoSidedP(r, n));
  });

  it("need ln B without the loss of a difference of large numbers", () => {
    // From mpmath with 40 digits.
    expect(Math.abs(logBeta(177827.94100389228, 0.1096478196143185) - 0.8311021069941703)).toBeLessThan(1e-13);
  });

  it("stand as a logarithm where they are too small for a number", () => {
    const tiny = described(0.99, 1000);
    expect(tiny.p).toBe(0);
    expect(tiny.log10P).toBeLessThan(-308);
    expect(described(1, 10)).toMatchObject({ p: 0, log10P: null, t: null, fisher: null });
    expect(described(0, 10).p).toBe(1);
  });
});

describe("what has no correlation", () => {
  it("has null and no NaN", () => {
    expect(spearman([1, 1, 1, 1], [1, 2, 3, 4])).toMatchObject({ coefficient: null, p: null, fisher: null });
    expect(pearson([1, 2, 3, 4], [0.1, 0.1, 0.1, 0.1]).coefficient).toBeNull();
    expect(pearson([1, 2], [3, 5])).toMatchObject({ n: 2, p: null });
    expect(pearson([1, 2], [3, 5]).coefficient).toBeCloseTo(1, 14);
    expect(pearson([], [])).toMatchObject({ n: 0, coefficient: null });
    expect(() => pearson([1], [1, 2])).toThrow("1 values of x but 2 of y");
  });

  it("survives numbers whose squares leave the doubles", () => {
    expect(pearson([1e-200, 2e-200, 3e-200], [1e200, 2e200, 3e200]).coefficient).toBeCloseTo(1, 14);
    expectRelative(summarise([1e9 + 1, 1e9 + 2, 1e9 + 3]).standardDeviation, 1, 1e-12);
    expect(() => compensatedMean([])).toThrow("an empty series has no mean");
  });
});

describe("a million points", () => {
  // Ranks by comparing all pairs would need 10^12 comparisons, and meet the time limit of a test.
  it("with many ties have a coefficient and the logarithm of a p-value that no double holds", () => {
    const random = new CounterRandom(3, 0);
    const x = Float64Array.from({ length: 1e6 }, () => random.integer(0, 999));
    const y = x.map((value) => value + random.integer(0, 2999));
    const { coefficient, p, log10P } = spearman(x, y);
    expect(coefficient).toBeGreaterThan(0.2);
    expect(p).toBe(0);
    expect(log10P).toBeLessThan(-1000);
  });
});

describe.skipIf(!hasScipy)("against scipy", () => {
  it("ln gamma, ln beta and the incomplete beta", () => {
    const random = new CounterRandom(5, 0);
    const cases = Array.from(
      { length: 300 },
      () =>
        [
          10 ** (random.integer(0, 699) / 100 - 1),
          10 ** (random.integer(0, 399) / 100 - 1),
          random.integer(1, 998) / 1000,
        ] as const,
    );
    const reference = scipy(
      "print(json.dumps([[special.gammaln(a), special.betaln(a, b), special.betainc(a, b, x)] for a, b, x in data]))",
      cases,
    ) as [number, number, number][];
    for (const [i, [a, b, x]] of cases.entries()) {
      const [gamma, beta, share] = reference[i] ?? [Number.NaN, Number.NaN, Number.NaN];
      expect(Math.abs(logGamma(a) - gamma)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(gamma)));
      // Theirs is a difference of ln gammas, with the rounding of the largest of them.
      const bound = 4 * Number.EPSILON * Math.abs(logGamma(a + b)) + 1e-13 * Math.max(1, Math.abs(beta));
      expect(Math.abs(logBeta(a, b) - beta), `ln B(${a}, ${b})`).toBeLessThanOrEqual(bound);
      if (share > 1e-280 && share < 1)
        expectRelative(Math.exp(logIncompleteBeta(Math.log(x), Math.log1p(-x), a, b)), share, 1e-9);
    }
  });

  it("rho and r to 1e-12, their p to 1e-9 relative, with and without ties", () => {
    const data = samples();
    const reference = scipy(
      `out = []
for row in data:
    rho, prho = stats.spearmanr(row["x"], row["y"])
    r, _ = stats.pearsonr(row["x"], row["y"])
    n = len(row["x"])
    t = r * math.sqrt((n - 2) / ((1 - r) * (1 + r)))
    out.append([rho, prho, r, 2 * stats.t.sf(abs(t), n - 2), float(np.std(row["x"], ddof=1))])
print(json.dumps(out))`,
      data,
    ) as [number, number, number, number, number][];
    for (const [i, { x, y }] of data.entries()) {
      const [rho, rhoP, r, rP, sd] = reference[i] ?? [0, 0, 0, 0, 0];
      const [ours, linear] = [spearman(x, y), pearson(x, y)];
      expect(Math.abs((ours.coefficient ?? Number.NaN) - rho)).toBeLessThanOrEqual(1e-12);
      expect(Math.abs((linear.coefficient ?? Number.NaN) - r)).toBeLessThanOrEqual(1e-12);
      expectRelative(ours.p, rhoP, 1e-9);
      expectRelative(linear.p, rP, 1e-9);
      expectRelative(summarise(x).standardDeviation, sd, 1e-12);
    }
  });

  it("p of the same r from certain to 1e-300", () => {
    const cases = [3, 4, 5, 10, 40, 500, 2000, 100_000].flatMap((n) =>
      [1e-9, 1e-4, 0.01, 0.1, 0.3, 0.5, 0.6637, 0.6863, 0.7, 0.9, 0.93, 0.999].map((r) => [r, n] as const),
    );
    const reference = scipy(
      "print(json.dumps([2 * stats.t.sf(r * math.sqrt((n - 2) / ((1 - r) * (1 + r))), n - 2) for r, n in data]))",
      cases,
    ) as number[];
    let smallest = 1;
    for (const [i, [r, n]] of cases.entries()) {
      const expected = reference[i] ?? Number.NaN;
      if (expected < 1e-305) continue;
      smallest = Math.min(smallest, expected);
      expectRelative(described(r, n).p, expected, 1e-9);
    }
    expect(smallest).toBeLessThan(1e-250);
  });
});
