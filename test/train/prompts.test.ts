import { describe, expect, test } from "vitest";
import { fileRows, syntheticQuestions } from "../../src/session/questions";
import { splitOf } from "../../src/tasks/nano/problems";

const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ prompt: `q${i}`, answer: `${i}` }));
const take = (source: { train(index: number): { prompt: string } }, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => source.train(from + i).prompt);

describe("questions of a file", () => {
  test("each pass has every row once, in another order; any index may be asked for first", () => {
    const source = fileRows("x", rows(15), 3, []);
    const first = take(source, 0, 15);
    const second = take(source, 15, 30);
    expect(new Set(first).size).toBe(15);
    expect(new Set(second)).toEqual(new Set(first));
    expect(second).not.toEqual(first);
    // As a resumed run asks: from the middle, and back.
    const resumed = fileRows("x", rows(15), 3, []);
    expect(take(resumed, 20, 30)).toEqual(second.slice(5));
    expect(take(resumed, 0, 15)).toEqual(first);
    expect(take(fileRows("x", rows(15), 4, []), 0, 15)).not.toEqual(first);
  });

  test("without held-out rows of their own, every twentieth is held out and not trained on", () => {
    const source = fileRows("x", rows(45), 1);
    expect(source.heldOut(9).map(({ prompt }) => prompt)).toEqual(["q19", "q39"]);
    expect(source.heldOut(1)).toHaveLength(1);
    const trained = new Set(take(source, 0, 43 * 3));
    expect(trained.size).toBe(43);
    expect(trained.has("q19") || trained.has("q39")).toBe(false);
  });

  test("given held-out rows, all others are trained on", () => {
    const source = fileRows("x", rows(20), 1, [{ prompt: "own", answer: "1" }]);
    expect(new Set(take(source, 0, 20)).size).toBe(20);
    expect(source.heldOut(5).map(({ prompt }) => prompt)).toEqual(["own"]);
  });
});

const nanoQuestions = (seed: number) => {
  const source = syntheticQuestions("nano", seed);
  if (source === undefined) throw new Error("nano is no name of questions");
  return source;
};

describe("nano questions", () => {
  test("training never meets held-out expressions, whatever the seed; right answers", () => {
    const heldOut = new Set(
      nanoQuestions(0)
        .heldOut(200)
        .map(({ prompt }) => prompt),
    );
    for (const seed of [0, 7, 0xffffffff]) {
      const source = nanoQuestions(seed);
      for (let i = 0; i < 300; i++) {
        const { prompt, answer } = source.train(i);
        expect(heldOut.has(prompt)).toBe(false);
        expect(splitOf(prompt)).toBe("train");
        expect(/^[-+*()\d]+$/.test(prompt) && String(new Function(`return ${prompt}`)())).toBe(answer);
      }
    }
  });

  test("seeds have sequences of their own, and the held-out ones in common", () => {
    expect(take(nanoQuestions(1), 0, 5)).not.toEqual(take(nanoQuestions(2), 0, 5));
    expect(nanoQuestions(1).heldOut(5)).toEqual(nanoQuestions(2).heldOut(5));
  });
});
