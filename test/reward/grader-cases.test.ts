import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { verifyAnswer } from "../../src/reward/verify";

interface PublishedCase {
  readonly id: string;
  readonly prediction: string;
  readonly gold: string;
  readonly verdict: boolean;
  readonly kind: "unit_test" | "recorded_grader";
  readonly suspect?: string;
}

const file = join(process.env.ZEROTIR_DATA ?? "../shared/data", "grader_cases.jsonl");
const read = (): PublishedCase[] =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Share of cases, in percent, on which the verdicts agree; the others are listed. */
function agreement(cases: readonly PublishedCase[], roundedPlaces?: number): number {
  const options = roundedPlaces === undefined ? {} : { roundedPlaces };
  const differing = cases.filter(
    ({ prediction, gold, verdict }) => verifyAnswer(prediction, gold, options).verdict !== verdict,
  );
  const share = (100 * (cases.length - differing.length)) / cases.length;
  const title = roundedPlaces === undefined ? "" : ` with roundedPlaces ${roundedPlaces}`;
  console.log(
    `${cases[0]?.kind}${title}: ${cases.length - differing.length} of ${cases.length} agree (${share.toFixed(2)}%)`,
    differing
      .map(
        ({ id, prediction, gold, verdict }) =>
          `\n  ${id} ${verdict ? "rejected" : "accepted"}: ${JSON.stringify(prediction.slice(-60))} ${JSON.stringify(gold.slice(-40))}`,
      )
      .join(""),
  );
  return share;
}

describe.skipIf(!existsSync(file))("published verdicts", () => {
  it("of unit tests", () => {
    expect(
      agreement(read().filter(({ kind, suspect }) => kind === "unit_test" && suspect === undefined)),
    ).toBeGreaterThanOrEqual(97);
  });

  it("of recorded answers", () => {
    const cases = read().filter(({ kind }) => kind === "recorded_grader");
    expect(agreement(cases)).toBeGreaterThanOrEqual(97);
    expect(agreement(cases, 2)).toBeGreaterThanOrEqual(97);
  });
});
