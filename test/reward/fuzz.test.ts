import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../src/base/random";
import { answersEquivalent, type GradingProfile, gradingProfiles, verifyAnswer } from "../../src/reward/verify";
import { gradingCases } from "./grading-cases";

/** ZEROTIR_FUZZ_CASES=100000 for the long run. */
const CASES = Number(process.env.ZEROTIR_FUZZ_CASES ?? 4000);
const PIECES =
  "\\frac { } ( ) [ ] \\{ \\} ^ _ \\sqrt \\text{ cm} \\boxed{ , ; = < \\le \\cup \\pm \\infty \\pi \\sin ! % $ | : & \\\\ \\begin{pmatrix} \\end{pmatrix} 0 1 9 99 .5 x y i e + - * / \\cdot \\left( \\right) \u0000 \ud800 é ∞ 10^{10^{10}} 1e999".split(
    " ",
  );

/** Numbers in [0, below) that every run draws alike. */
function generator(seed: number): (below: number) => number {
  const random = new CounterRandom(seed, 0);
  return (below) => Math.floor(random.fraction() * below);
}

const answers = gradingCases.flatMap(({ prediction, gold }) => [prediction, gold]);

function mutated(text: string, draw: (below: number) => number): string {
  let result = text;
  for (let edits = draw(4); edits >= 0; edits--) {
    const at = draw(result.length + 1);
    const piece = PIECES[draw(PIECES.length)] ?? "";
    const other = answers[draw(answers.length)] ?? "";
    const kind = draw(5);
    if (kind === 0) result = result.slice(0, at) + piece + result.slice(at);
    else if (kind === 1) result = result.slice(0, at) + result.slice(at + 1 + draw(3));
    else if (kind === 2) result = result.slice(0, at) + other + result.slice(at);
    else if (kind === 3) result = piece + result.repeat(1 + draw(3)) + piece;
    else result = `\\frac{${result}}{${other}}`;
  }
  return result;
}

describe("mutated answers", () => {
  it(`do no harm: ${CASES} cases`, () => {
    const draw = generator(20261);
    let accepted = 0;
    for (let index = 0; index < CASES; index++) {
      const source = answers[draw(answers.length)] ?? "";
      const prediction = mutated(source, draw);
      const gold = draw(2) === 0 ? source : mutated(source, draw);
      const profile = gradingProfiles[draw(gradingProfiles.length)] as GradingProfile;
      const { verdict } = verifyAnswer(draw(2) === 0 ? prediction : `\\boxed{${prediction}}`, gold, { profile });
      if (verdict) accepted++;
    }
    // Some mutations leave the answer right, most do not.
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(CASES / 2);
  }, 1_800_000);
});

describe("symmetry", () => {
  /** Relations, and what has a unit or base on one side, may stand for their value in one direction only. */
  const isValue = (text: string) => !/[=<>]|\\[lg]e|\\in\b/.test(text);

  /** A decimal of the prediction may stand for an exact gold answer, and not the other way round. */
  const isExact = (text: string) => !/\.\d/.test(text);

  it("holds for exact values in the math profile", () => {
    const values = answers.filter((text) => isValue(text) && isExact(text));
    for (const a of values)
      for (const b of values.filter((_, index) => index % 5 === 0))
        expect([a, b, answersEquivalent(a, b)]).toEqual([a, b, answersEquivalent(b, a)]);
  });

  it("holds for text in the profiles that compare normal forms", () => {
    for (const profile of ["dapo", "hendrycks"] as const)
      for (const { prediction, gold } of gradingCases.filter((each) => !each.prediction.includes("boxed")))
        expect(answersEquivalent(gold, prediction, profile)).toBe(answersEquivalent(prediction, gold, profile));
  });

  it("an answer equals itself", () => {
    for (const answer of answers) expect([answer, answersEquivalent(answer, answer)]).toEqual([answer, true]);
  });
});
