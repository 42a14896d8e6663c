import { describe, expect, it } from "vitest";
import { whiten } from "../../src/rl/advantages";
import { type EstimatorOptions, type RewardedBatch, tokenAdvantages } from "../../src/rl/estimators";
import { type SampleFacts, sampleMasks } from "../../src/rl/filters";
import { generalisedAdvantages, type ObservationConvention } from "../../src/rl/gae";
import { type ImportanceMode, importanceWeights } from "../../src/rl/importance";
import { controlledKlCoefficient, klTerm } from "../../src/rl/kl";

/** Advantages as lists. */
function advantagesOf(batch: RewardedBatch, estimator: EstimatorOptions["estimator"], discount = 1): number[][][] {
  return tokenAdvantages(batch, { estimator, scaleRewards: "group", discount }).map((group) =>
    group.map((tokens) => [...tokens]),
  );
}

function expectClose(actual: readonly (readonly number[])[] | undefined, expected: readonly (readonly number[])[]) {
  expect(actual?.map((tokens) => tokens.length)).toEqual(expected.map((tokens) => tokens.length));
  expected.forEach((tokens, i) => {
    tokens.forEach((value, t) => {
      expect(actual?.[i]?.[t]).toBeCloseTo(value, 12);
    });
  });
}

describe("estimators by hand", () => {
  const batch: RewardedBatch = { rewards: [[1, 0, 0]], actionTokens: [[2, 1, 3]] };

  it("RLOO: reward minus the mean of the others", () => {
    expectClose(advantagesOf(batch, "rloo")[0], [[1, 1], [-0.5], [-0.5, -0.5, -0.5]]);
    expectClose(advantagesOf({ rewards: [[1]], actionTokens: [[1]] }, "rloo")[0], [[0]]);
  });

  it("OPO: a baseline weighted by length", () => {
    // 2 * 1 / 6
    expectClose(advantagesOf(batch, "opo")[0], [[2 / 3, 2 / 3], [-1 / 3], [-1 / 3, -1 / 3, -1 / 3]]);
  });

  it("ReMax: reward minus that of the greedy answer", () => {
    expectClose(advantagesOf({ ...batch, greedyRewards: [0.25] }, "remax")[0], [
      [0.75, 0.75],
      [-0.25],
      [-0.25, -0.25, -0.25],
    ]);
    expect(() => advantagesOf(batch, "remax")).toThrow(/greedy/);
    expect(() => advantagesOf({ ...batch, greedyRewards: [] }, "remax")).toThrow(/1 groups but 0/);
  });

  it("REINFORCE: discounted returns, with rewards per token", () => {
    const shaped = { rewards: [[1]], actionTokens: [[3]], tokenRewards: [[[-0.1, -0.2, -0.3]]] };
    // G_3 = 0.7, G_2 = -0.2 + 0.35, G_1 = -0.1 + 0.075
    expectClose(advantagesOf(shaped, "reinforce", 0.5)[0], [[-0.025, 0.15, 0.7]]);
  });

  it("rewards per token come after baseline and scale", () => {
    // Equal outcomes: only what stands before a token's end counts, at its own size.
    const shaped = { rewards: [[1, 1]], actionTokens: [[2, 1]], tokenRewards: [[[-0.01, -0.02], [-0.04]]] };
    for (const estimator of ["grpo", "rloo", "opo"] as const)
      expectClose(advantagesOf(shaped, estimator)[0], [[-0.03, -0.02], [-0.04]]);
  });

  it("REINFORCE++ and its baseline form are whitened over the tokens of the batch", () => {
    // Two tokens of 1 and four of 0: mean 1/3, variance 2/9.
    const sd = Math.sqrt(2 / 9);
    const [high, low] = [2 / 3 / sd, -1 / 3 / sd];
    expectClose(advantagesOf(batch, "reinforce_pp")[0], [[high, high], [low], [low, low, low]]);
    // Centred 1/2, -1/2 | 3/4, -1/4, -1/4, -1/4, as many tokens each: mean 0, variance 5/24.
    const groups = {
      rewards: [
        [1, 0],
        [1, 0, 0, 0],
      ],
      actionTokens: [
        [2, 2],
        [2, 2, 2, 2],
      ],
    };
    const deviation = Math.sqrt(5 / 24);
    const [first, second] = advantagesOf(groups, "reinforce_pp_baseline");
    expectClose(
      first,
      [0.5, -0.5].map((value) => [value / deviation, value / deviation]),
    );
    expectClose(
      second,
      [0.75, -0.25, -0.25, -0.25].map((value) => [value / deviation, value / deviation]),
    );
  });

  it("whitening gives zeros, not noise, when nothing varies, and has a floor", () => {
    expectClose(advantagesOf({ rewards: [[0.1, 0.1, 0.1]], actionTokens: [[3, 5, 7]] }, "reinforce_pp_baseline")[0], [
      [0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0],
    ]);
    expect(whiten([Float64Array.of(1e-6, -1e-6)])[0]?.[0]).toBeCloseTo(0.1, 12);
    expect(whiten([])).toEqual([]);
    expect(() => whiten([Float64Array.of(Number.NaN)])).toThrow(/NaN/);
  });

  it("refuses shapes that differ and numbers that are none", () => {
    expect(() => advantagesOf({ rewards: [[1, 0]], actionTokens: [[1]] }, "reinforce_pp")).toThrow(/differ in shape/);
    expect(() => advantagesOf({ rewards: [[Number.NaN]], actionTokens: [[1]] }, "grpo")).toThrow(/reward 0 of group 0/);
  });
});

describe("GAE across an observation", () => {
  const tokens = { rewards: [0, 9, 0, 1], values: [0.5, 9, 0.2, 0.4], mask: [1, 0, 1, 1] };
  const run = (observations: ObservationConvention, discount: number, lambda: number) =>
    generalisedAdvantages(tokens, { observations, discount, lambda });

  it.each(["carried", "skipped"] as const)("%s: R - V at gamma = lambda = 1", (observations) => {
    const { advantages, returns } = run(observations, 1, 1);
    expectClose([[...advantages]], [[0.5, 0, 0.8, 0.6]]);
    expectClose([[...returns]], [[1, 0, 1, 1]]);
  });

  it("reset: no credit before the observation", () => {
    const { advantages, returns } = run("reset", 1, 1);
    expectClose([[...advantages]], [[-0.5, 0, 0.8, 0.6]]);
    expectClose([[...returns]], [[0, 0, 1, 1]]);
  });

  it("by hand at gamma 0.9, lambda 0.5", () => {
    // A_4 = 0.6; A_3 = 0.36 - 0.2 + 0.45 * 0.6 = 0.43.
    expectClose([[...run("skipped", 0.9, 0.5).advantages]], [[0.9 * 0.2 - 0.5 + 0.45 * 0.43, 0, 0.43, 0.6]]);
    const through = 0.9 * 0.2 + 0.45 * 0.43;
    expectClose([[...run("carried", 0.9, 0.5).advantages]], [[-0.5 + 0.45 * through, 0, 0.43, 0.6]]);
  });

  it("refuses lists that differ", () => {
    expect(() =>
      generalisedAdvantages({ ...tokens, mask: [1] }, { observations: "skipped", discount: 1, lambda: 1 }),
    ).toThrow(/4 rewards and 4 values for 1/);
  });
});

describe("KL", () => {
  it("by hand at l - l_ref = ln 2", () => {
    const at = (estimator: Parameters<typeof klTerm>[0]) => klTerm(estimator, -1, -1 - Math.LN2);
    expect(at("k1")).toEqual({ value: expect.closeTo(Math.LN2, 12), slope: 1 });
    expect(at("k2")).toEqual({ value: expect.closeTo(Math.LN2 ** 2 / 2, 12), slope: expect.closeTo(Math.LN2, 12) });
    expect(at("k3")).toEqual({ value: expect.closeTo(Math.LN2 - 0.5, 12), slope: expect.closeTo(0.5, 12) });
    expect(at("k3_plus")).toEqual({ value: expect.closeTo(Math.LN2 - 0.5, 12), slope: expect.closeTo(Math.LN2, 12) });
  });

  it("k3 is held at 10, without gradient beyond", () => {
    expect(klTerm("k3", -30, -1)).toEqual({ value: 10, slope: 0 });
  });

  it("is steered to its target by at most a fifth", () => {
    const control = { target: 0.1, horizon: 1000 };
    expect(controlledKlCoefficient(0.2, 0.11, 100, control)).toBeCloseTo(0.2 * 1.01, 12);
    expect(controlledKlCoefficient(0.2, 5, 100, control)).toBeCloseTo(0.2 * 1.02, 12);
    expect(controlledKlCoefficient(0.2, 0, 100, control)).toBeCloseTo(0.2 * 0.98, 12);
  });
});

describe("importance weights", () => {
  const sampled = [-1, -1, -1];
  const old = [-1 + Math.log(3), -1, -1 + Math.log(0.5)];
  it.each<[ImportanceMode, number[]]>([
    ["token_truncate", [2, 1, 0.5]],
    ["token_mask", [0, 1, 0]],
    // The product is 1.5, its geometric mean 1.5^(1/3) = 1.145.
    ["sequence_truncate", [1.5, 1.5, 1.5]],
    ["sequence_mask", [1.5, 1.5, 1.5]],
    ["geometric_mask", [1, 1, 1]],
  ])("%s by hand", (mode, expected) => {
    expectClose([[...importanceWeights(old, sampled, { mode, cap: 2, floor: 0.8 })]], [expected]);
  });

  it("are exactly 1 where both agree, and 0 outside the bounds", () => {
    expect([...importanceWeights(old, old, { mode: "token_truncate", cap: 2, floor: 0 })]).toEqual([1, 1, 1]);
    expect([...importanceWeights(old, sampled, { mode: "sequence_mask", cap: 1.2, floor: 0 })]).toEqual([0, 0, 0]);
    expect([...importanceWeights(old, sampled, { mode: "geometric_mask", cap: 1.1, floor: 0 })]).toEqual([0, 0, 0]);
    expect(() => importanceWeights([-1], [], { mode: "token_mask", cap: 2, floor: 0 })).toThrow(/1 old/);
  });
});

describe("sample masks", () => {
  const fine: SampleFacts = {
    correct: true,
    truncated: false,
    answered: true,
    codeBlocks: 1,
    outputBlocks: 1,
    openedBlocks: 1,
    executions: 1,
    repeatness: 0.1,
    trigramRepetition: 0.1,
  };
  const flags = (change: Partial<SampleFacts>) =>
    Object.entries(sampleMasks).flatMap(([name, rule]) => (rule({ ...fine, ...change }) ? [name] : []));
  it("flag what their rule says, and nothing else", () => {
    expect(flags({})).toEqual([]);
    expect(flags({ truncated: true })).toEqual([]);
    expect(flags({ truncated: true, correct: false })).toEqual(["overlong_wrong"]);
    expect(flags({ outputBlocks: 2 })).toEqual(["hallucinated_output"]);
    expect(flags({ executions: 0 })).toEqual(["hallucinated_output"]);
    expect(flags({ executions: 0, correct: false })).toEqual([]);
    expect(flags({ answered: false, correct: false })).toEqual(["void_turn"]);
    expect(flags({ answered: false, correct: false, repeatness: 0.21 })).toEqual(["repetition", "void_turn"]);
    expect(flags({ repeatness: 0.9, trigramRepetition: 0.9 })).toEqual([]);
  });
});
