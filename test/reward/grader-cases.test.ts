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

/** Those under Apache-2.0; and all of them, where the published data lie beside the repository. */
const SHIPPED = join(import.meta.dirname, "../fixtures/grader-cases.jsonl");
const ALL = join(process.env.ZEROTIR_DATA ?? "../shared/data", "grader_cases.jsonl");

const read = (file: string): PublishedCase[] =>
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

describe.each([
  ["under Apache-2.0", SHIPPED, 96],
  ["of all projects", ALL, 97],
] as const)("published verdicts %s", (_name, file, least) => {
  it.skipIf(!existsSync(file))("of unit tests", () => {
    expect(
      agreement(read(file).filter(({ kind, suspect }) => kind === "unit_test" && suspect === undefined)),
    ).toBeGreaterThanOrEqual(97);
  });

  it.skipIf(!existsSync(file))("of recorded answers", () => {
    const cases = read(file).filter(({ kind }) => kind === "recorded_grader");
    expect(agreement(cases)).toBeGreaterThanOrEqual(least);
    expect(agreement(cases, 2)).toBeGreaterThanOrEqual(least);
  });
});
