import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { datasetRequest } from "../../src/data/dataset";
import { countRepeats, findOverlap, problemKey } from "../../src/data/overlap";
import { openDataset } from "../../src/platform/node/datasets";

describe("problems in common", () => {
  const evaluation = [
    "What is $2 + 2$?",
    "A train leaves town at noon and goes sixty miles an hour for three hours. How far?",
    "Nothing like it.",
    "what is 2+2",
    "???",
  ];

  test("equal ones are found through markup, spacing and case; each distinct problem counts once", () => {
    const found = findOverlap(["WHAT is \\( 2+2 \\)?", "Something else"], evaluation, 13);
    expect(found).toMatchObject({ problems: 3, equal: 1, partial: 0 });
    expect(found.examples).toEqual([
      { kind: "equal", evalProblem: "What is $2 + 2$?", trainProblem: "WHAT is \\( 2+2 \\)?" },
    ]);
  });

  test("a run of words in common is found where it is long enough", () => {
    const train = ["Hello! a train leaves Town, at noon and goes sixty miles an hour, for four hours."];
    const run = (words: number) => findOverlap(train, evaluation, words).partial;
    // "a train leaves town at noon and goes sixty miles an hour for": thirteen words.
    expect([run(13), run(14), run(0)]).toEqual([1, 0, 0]);
    expect(findOverlap(train, evaluation, 13).examples).toEqual([
      {
        kind: "partial",
        evalProblem: evaluation[1],
        trainProblem: train[0],
        sharedWords: "a train leaves town at noon and goes sixty miles an hour for",
      },
    ]);
  });

  test("words in common that are less than half of a problem do not make it a common one", () => {
    const phrase = "where m and n are relatively prime positive integers find the sum of both";
    const evaluation = (words: number) => [`${Array.from({ length: words }, (_, i) => `w${i}`).join(" ")} ${phrase}`];
    expect(phrase.split(" ")).toHaveLength(14);
    expect(findOverlap([`Old, ${phrase}`], evaluation(14), 13).partial).toBe(1);
    expect(findOverlap([`Old, ${phrase}`], evaluation(15), 13).partial).toBe(0);
  });

  test("what more than ten training problems have in common is a set phrase; a problem repeated eleven times is not", () => {
    const phrase = "where m and n are relatively prime positive integers find the sum of both";
    const train = (count: number) => Array.from({ length: count }, (_, i) => `Problem ${i}, ${phrase}`);
    expect(findOverlap(train(10), [`New, ${phrase}`], 13).partial).toBe(1);
    expect(findOverlap(train(11), [`New, ${phrase}`], 13).partial).toBe(0);
    expect(findOverlap(Array(11).fill(`Old, ${phrase}`), [`New, ${phrase}`], 13).partial).toBe(1);
  });

  test("letters of every script count: two Chinese problems with the same numbers are two", () => {
    const problems = ["求 $x$ 的值, 3", "若 $x$ 为奇数, 3"];
    expect(countRepeats(problems)).toBe(0);
    expect(countRepeats([...problems, "求x的值3"])).toBe(1);
    expect(problemKey("Éa-1_b")).toBe("éa1b");
  });
});

const folder = process.env.ZEROTIR_DATA ?? resolve(import.meta.dirname, "../../../shared/data");
const env = { ZEROTIR_DATA: folder };

describe.skipIf(!existsSync(join(folder, "gsm8k-train.jsonl")))(
  "the published sets (ZEROTIR_DATA or ../shared/data)",
  () => {
    const EVALUATIONS = [
      "math:test",
      "math500",
      "olympiadbench",
      "amc23",
      "amc12-2022-2023",
      "gsm8k:test",
      "aime24",
      "aime25",
      "hmmt24",
      "hmmt25",
      "minerva",
      "svamp",
    ];
    const cache = new Map<string, Promise<string[]>>();
    const problems = (name: string) => {
      const read = async () =>
        (await openDataset(datasetRequest(name, "train", { offline: true }), env)).rows.map(({ prompt }) => prompt);
      const found = cache.get(name) ?? read();
      cache.set(name, found);
      return found;
    };

    // Equal problems as the data's own description states them; that six of HMMT 2024 are in DAPO's set it does not
    // say.
    test.each<[string, Record<string, number>]>([
      ["math:train", { "math:test": 10, math500: 1, olympiadbench: 2 }],
      ["dapo-17k", { "math:test": 976, math500: 7, amc23: 8, "amc12-2022-2023": 14, olympiadbench: 10, hmmt24: 6 }],
      ["simplerl-hard", { "math:test": 2939, math500: 1, olympiadbench: 3 }],
      ["deepmath-5k", { "math:test": 145 }],
      ["deepscaler-7k", { "math:test": 12, math500: 1 }],
      ["aime-1983-2023", { "math:test": 40, math500: 6 }],
      ["gsm-hard", { "gsm8k:test": 329 }],
      ["gsm8k:train", {}],
      ["orz-part-1.7k", {}],
    ])("%s", async (name, expected) => {
      const train = await problems(name);
      const found: Record<string, number> = {};
      for (const each of EVALUATIONS) {
        const { equal } = findOverlap(train, await problems(each), 0);
        if (equal > 0) found[each] = equal;
      }
      expect(found).toEqual(expected);
    });

    test("every set that lies in the folder is read to its end", async () => {
      const counts = Object.fromEntries(
        await Promise.all(
          [...EVALUATIONS, "gsm8k:train", "math:train", "dapo-17k"].map(async (name) => [
            name,
            (await problems(name)).length,
          ]),
        ),
      );
      expect(counts).toEqual({
        "math:test": 5000,
        math500: 500,
        olympiadbench: 675,
        amc23: 40,
        "amc12-2022-2023": 83,
        "gsm8k:test": 1319,
        aime24: 30,
        aime25: 30,
        hmmt24: 30,
        hmmt25: 30,
        minerva: 272,
        svamp: 1000,
        "gsm8k:train": 7473,
        "math:train": 7498,
        "dapo-17k": 17917,
      });
    });

    test("math500 lies wholly in the test split of math", async () => {
      expect(findOverlap(await problems("math:test"), await problems("math500"), 0)).toMatchObject({
        problems: 500,
        equal: 500,
      });
    });
  },
);
