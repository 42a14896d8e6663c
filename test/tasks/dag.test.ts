/** Graph problems: checked by a reader of the notation that shares nothing with their maker. */
import { describe, expect, test } from "vitest";
import { CounterRandom } from "../../src/base/random";
import { verifyAnswer } from "../../src/reward/verify";
import { syntheticBenchmark, syntheticQuestions } from "../../src/session/questions";
import { type DagProblem, dagProblem } from "../../src/tasks/dag/problem";
import { dagRange, dagRow, parseRange } from "../../src/tasks/dag/rows";
import { dagKinds, dagSolution } from "../../src/tasks/dag/solution";
import { tinyTokenizer } from "../train/tiny-run";

const RANGE = { least: 1, most: 6 };
const problems = Array.from({ length: 600 }, (_, index) => dagProblem(5, index, RANGE, "train"));

/** Statements by name, and the name asked for. */
function read(question: string) {
  const [statements = "", asked = ""] = question.split("?");
  return { asked, formulas: new Map(statements.split(";").map((each) => [each.charAt(0), each.slice(2)])) };
}

/** The names put in until only numbers are left, operands of + and * in the order of their texts. */
function expanded(formulas: ReadonlyMap<string, string>, name: string): string {
  const formula = formulas.get(name) ?? "";
  const [, left = "", operator = "", right = ""] = /^([a-z])([-+*])([a-z])$/.exec(formula) ?? [];
  if (operator === "") return formula;
  const parts = [expanded(formulas, left), expanded(formulas, right)];
  return `(${(operator === "-" ? parts : parts.toSorted()).join(operator)})`;
}

const calculate = (expression: string): number =>
  /^[-+*()\d]+$/.test(expression) ? new Function(`return ${expression}`)() : Number.NaN;

describe("problems", () => {
  test("have the right answer, as many operations as they say, results from 0 to 99, and no quantity too much", () => {
    for (const { question, answer, operations, leaves } of problems) {
      const { asked, formulas } = read(question);
      expect(calculate(expanded(formulas, asked))).toBe(Number(answer));
      expect([...formulas.values()].filter((text) => /[a-z]/.test(text))).toHaveLength(operations.length);
      expect(formulas.size).toBe(operations.length + leaves.length);
      for (const name of formulas.keys()) {
        const value = calculate(expanded(formulas, name));
        expect(value >= 0 && value <= 99).toBe(true);
      }
      const needed = new Set([asked]);
      for (const name of needed)
        for (const [parent] of (formulas.get(name) ?? "").matchAll(/[a-z]/g)) needed.add(parent);
      expect(needed.size).toBe(formulas.size);
    }
    expect(new Set(problems.map(({ operations }) => operations.length))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
  });

  test("state quantities in no order, and share some", () => {
    const several = problems.filter(({ operations }) => operations.length > 1);
    const inOrder = several.filter(({ question }) => {
      const seen = new Set<string>();
      return [...read(question).formulas].every(([name, formula]) => {
        const known = [...formula.matchAll(/[a-z]/g)].every(([parent]) => seen.has(parent));
        seen.add(name);
        return known;
      });
    });
    expect(inOrder.length / several.length).toBeLessThan(0.1);
    const shared = several.filter(({ operations }) => {
      const uses = operations.flatMap(({ left, right }) => [left, right]);
      return new Set(uses).size < uses.length;
    });
    expect(shared.length / several.length).toBeGreaterThan(0.3);
  });

  test("are functions of seed and index", () => {
    expect(dagProblem(5, 17, RANGE, "train")).toEqual(problems[17]);
    expect(dagProblem(6, 17, RANGE, "train")).not.toEqual(problems[17]);
    expect(new Set(problems.map(({ question }) => question)).size).toBe(problems.length);
  });

  test("of the two splits differ in more than names and order", () => {
    const expressions = (split: "train" | "eval", count: number) =>
      Array.from({ length: count }, (_, index) => {
        const { asked, formulas } = read(dagProblem(1, index, { least: 1, most: 2 }, split).question);
        return expanded(formulas, asked);
      });
    const train = new Set(expressions("train", 4000));
    const heldOut = expressions("eval", 400);
    expect(heldOut.filter((expression) => train.has(expression))).toEqual([]);
    // Problems this short come again and again: without the split most would have been met.
    expect(new Set(heldOut).size).toBeLessThan(350);
  });
});

describe("solutions", () => {
  const byHand: DagProblem = {
    question: "k=f*a;a=3;f=a+b;b=7?k",
    answer: "30",
    leaves: [
      { name: "a", value: 3 },
      { name: "b", value: 7 },
    ],
    operations: [
      { name: "k", operator: "*", left: "f", right: "a", value: 30 },
      { name: "f", operator: "+", left: "a", right: "b", value: 10 },
    ],
  };

  test.each([
    ["plain", "f=a+b=3+7;f=10;k=f*a=10*3;k=30;\\boxed{30}"],
    ["exploration", "k=f*a=f?;f=a+b=3+7;f=10;k=f*a=10*3;k=30;\\boxed{30}"],
    ["exploitation", "[ab]f=a+b=3+7;f=10;[abf]k=f*a=10*3;k=30;\\boxed{30}"],
  ] as const)("by hand: %s", (kind, text) => {
    expect(dagSolution(byHand, kind, new CounterRandom(1, 1))).toBe(text);
  });

  test.each(dagKinds)("%s: every step uses what is known by then, every remark on it is true", (kind) => {
    let attempts = 0;
    for (const [index, problem] of problems.entries()) {
      const { formulas, asked } = read(problem.question);
      const text = dagSolution(problem, kind, new CounterRandom(2, index));
      const known = new Map([...formulas].filter(([, formula]) => /^\d/.test(formula)));
      const steps = text.split(/(?<=;)/);
      expect(steps.pop()).toBe(`\\boxed{${known.get(asked) ?? problem.answer}}`);
      for (let at = 0; at < steps.length; at++) {
        const [, set, name = "", formula = "", rest = ""] =
          /^(?:\[([a-z]+)\])?([a-z])=([a-z][-+*][a-z])=(.*);$/.exec(steps[at] ?? "") ?? [];
        expect(formulas.get(name)).toBe(formula);
        expect(known.has(name)).toBe(false);
        expect(set).toBe(kind === "exploitation" ? [...known.keys()].join("") : undefined);
        const missing = [...formula.matchAll(/[a-z]/g)]
          .map(([parent]) => parent)
          .filter((parent) => !known.has(parent));
        if (missing.length > 0) {
          attempts++;
          expect(rest).toBe(missing.map((parent) => `${parent}?`).join(""));
          continue;
        }
        expect(rest).toBe(formula.replace(/[a-z]/g, (parent) => known.get(parent) ?? "?"));
        at++;
        expect(steps[at]).toBe(`${name}=${calculate(rest)};`);
        known.set(name, String(calculate(rest)));
      }
      expect(known.size).toBe(formulas.size);
      expect(verifyAnswer(text, problem.answer).verdict).toBe(true);
    }
    const several = problems.filter(({ operations }) => operations.length > 1).length;
    if (kind === "exploration") expect(attempts).toBeGreaterThan(several);
    else expect(attempts).toBe(0);
  });
});

describe("rows", () => {
  const shares = { exploration: 0.3, exploitation: 0.2 };

  test("have the kinds in the shares asked for, and the same problems whatever these are", () => {
    const rows = Array.from({ length: 2000 }, (_, index) => dagRow(3, index, RANGE, "train", shares));
    const share = (kind: string) => rows.filter((row) => row.kind === kind).length / rows.length;
    // Three standard deviations of a share of 2000 are 0.034 at most.
    expect(share("exploration")).toBeCloseTo(0.3, 1);
    expect(share("exploitation")).toBeCloseTo(0.2, 1);
    const plain = dagRow(3, 11, RANGE, "train", { exploration: 0, exploitation: 0 });
    expect(plain).toMatchObject({ kind: "plain", prompt: rows[11]?.prompt, answer: rows[11]?.answer });
  });

  test("are kept by the shipped tokenizer, and the longest of the benchmarks fit its model's 256 positions", () => {
    for (const name of ["dag", "dag-long"]) {
      const range = dagRange(name) ?? RANGE;
      for (let index = 0; index < 400; index++) {
        const { prompt, completion } = dagRow(4, index, range, "eval", { exploration: 0.5, exploitation: 0.5 });
        const ids = tinyTokenizer.encode(`User: ${prompt}\nAssistant:${completion}<|endoftext|>`);
        expect(tinyTokenizer.decode(ids)).toBe(`User: ${prompt}\nAssistant:${completion}<|endoftext|>`);
        expect(ids.length).toBeLessThanOrEqual(256);
      }
    }
  });

  test("names of RL and evaluation", () => {
    expect(dagRange("dag")).toEqual({ least: 2, most: 4 });
    expect(dagRange("dag-1-3")).toEqual({ least: 1, most: 3 });
    expect(dagRange("dag-7")).toEqual({ least: 7, most: 7 });
    for (const name of ["dags", "dag-", "dag-3-2", "dag-0-2", "dag-2-13", "dag-a", "nano"])
      expect(dagRange(name)).toBeUndefined();
    expect(parseRange("2 - 4")).toBeUndefined();
    const source = syntheticQuestions("dag-1-2", 9);
    const heldOut = source?.heldOut(100) ?? [];
    expect(heldOut).toHaveLength(100);
    expect(heldOut).toEqual(syntheticBenchmark("dag-1-2", 100));
    expect(heldOut).toEqual(syntheticQuestions("dag-1-2", 10)?.heldOut(100));
    expect(source?.train(4)).not.toEqual(syntheticQuestions("dag-1-2", 10)?.train(4));
    expect(source?.train(4)).toEqual(source?.train(4));
    expect(syntheticQuestions("dag-9-1", 1)).toBeUndefined();
    expect(syntheticBenchmark("dag-long", 3)?.map(({ prompt }) => [...prompt.matchAll(/[-+*]/g)].length >= 5)).toEqual([
      true,
      true,
      true,
    ]);
  });
});
