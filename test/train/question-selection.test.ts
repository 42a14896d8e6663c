import { describe, expect, test } from "vitest";
import { hashText } from "../../src/base/random";
import { fileRows, type QuestionRow } from "../../src/session/questions";
import { QuestionSelection } from "../../src/train/question-selection";

const options = {
  seed: 3,
  promptSelection: "none",
  promptSelectionPool: 2,
  curriculumColumn: null,
  curriculumSteps: 4,
} as const;

const rows: QuestionRow[] = Array.from({ length: 20 }, (_, i) => ({
  prompt: `q${i}`,
  answer: "1",
  columns: { difficulty: i },
}));
const source = () => fileRows("rows", rows, 7, []);
const start = { next_question: 0 };

test("without selection: the training sequence, from where the state says", () => {
  const selection = new QuestionSelection(source(), options, { next_question: 4 });
  expect(selection.take(2, 3, 0)).toEqual([4, 5, 6].map((index) => source().train(index)));
  expect(selection.state).toEqual({ next_question: 7 });
});

describe("mopps", () => {
  const mopps = { ...options, promptSelection: "mopps" } as const;
  const always = new Set(["q1", "q2", "q3", "q4", "q5"]);
  const never = new Set(["q6", "q7", "q8", "q9", "q10"]);
  const learn = (selection: QuestionSelection, steps: number, first = 1) => {
    const taken: string[][] = [];
    for (let step = first; step < first + steps; step++) {
      const batch = selection.take(step, 5, 0);
      for (const row of batch) {
        const right = always.has(row.prompt) ? 8 : never.has(row.prompt) ? 0 : 4;
        selection.observe(row, right, 8);
      }
      taken.push(batch.map(({ prompt }) => prompt));
    }
    return taken;
  };

  test("two prompts of one 32-bit hash have a posterior each", () => {
    const pair = ["question 1032789", "question 1629192"];
    expect(new Set(pair.map(hashText)).size).toBe(1);
    const selection = new QuestionSelection(source(), mopps, start);
    for (const prompt of pair) selection.observe({ prompt, answer: "1" }, 1, 8);
    expect(Object.keys(selection.state.posteriors ?? {})).toHaveLength(2);
  });

  test("prompts that are always or never solved come less and less", () => {
    const taken = learn(new QuestionSelection(source(), mopps, start), 40);
    const share = (batches: string[][]) =>
      batches.flat().filter((prompt) => !always.has(prompt) && !never.has(prompt)).length / batches.flat().length;
    // Half of the prompts are solved half of the time.
    expect(share(taken.slice(0, 2))).toBeLessThan(0.8);
    expect(share(taken.slice(20))).toBeGreaterThan(0.85);
  });

  test("goes on from its state as if it had not stopped, also through JSON", () => {
    const whole = learn(new QuestionSelection(source(), mopps, start), 12);
    const first = new QuestionSelection(source(), mopps, start);
    learn(first, 5);
    const resumed = new QuestionSelection(source(), mopps, JSON.parse(JSON.stringify(first.state)));
    expect(learn(resumed, 7, 6)).toEqual(whole.slice(5));
  });
});

describe("a curriculum", () => {
  const easyFirst = { ...options, curriculumColumn: "difficulty" };

  test("begins with the easiest fifth, and has all rows after its steps", () => {
    const selection = new QuestionSelection(source(), easyFirst, start);
    const hardest = [1, 2, 3, 4, 5, 6].map((step) =>
      Math.max(...selection.take(step, 40, 0).map(({ columns }) => Number(columns?.difficulty))),
    );
    expect(hardest).toEqual([3, 7, 11, 15, 19, 19]);
  });

  test("a column that is missing or no number is named", () => {
    const missing = { ...options, curriculumColumn: "level" };
    expect(() => new QuestionSelection(source(), missing, start)).toThrow(/--curriculum-column level.*difficulty/);
  });

  test("one from outside; one that lets nothing through is said", () => {
    const odd = new QuestionSelection(
      source(),
      options,
      start,
      ({ columns }, step) => Number(columns?.difficulty) % 2 === step % 2,
    );
    expect(odd.take(1, 10, 0).every(({ columns }) => Number(columns?.difficulty) % 2 === 1)).toBe(true);
    const none = new QuestionSelection(source(), options, start, () => false);
    expect(() => none.take(3, 1, 0)).toThrow(/step 3: the curriculum lets no question of rows through/);
  });
});
