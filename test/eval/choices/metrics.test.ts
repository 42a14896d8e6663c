import { expect, test } from "vitest";
import {
  type Behaviour,
  behaviours,
  choiceFigures,
  chosen,
  type ScoredChoices,
} from "../../../src/eval/choices/metrics";

/** A question whose most likely answer is `pick`; all answers of one length unless told. */
function item(gold: Behaviour, pick: Behaviour, tools = 1, lengths = [10, 10, 10, 10]): ScoredChoices {
  return { gold, tools, lengths, logLikelihoods: behaviours.map((each) => (each === pick ? -10 : -20)) };
}

test("figures counted by hand", () => {
  const figures = choiceFigures([
    item("tool_call", "tool_call"),
    item("tool_call", "direct"),
    item("request_for_info", "request_for_info"),
    item("request_for_info", "tool_call"),
    item("cannot_answer", "tool_call", 0),
    item("cannot_answer", "cannot_answer", 0),
    item("cannot_answer", "tool_call", 2),
  ]);
  expect(figures.confusion).toEqual([
    [0, 0, 0, 0],
    [1, 1, 0, 0],
    [0, 1, 1, 0],
    [0, 2, 0, 1],
  ]);
  expect(figures.accuracy).toBeCloseTo(3 / 7, 12);
  // direct: chosen once, never right: 0. tool_call: P 1/4, R 1/2. request_for_info: P 1, R 1/2. cannot_answer: P 1, R
  // 1/3.
  expect(figures.macroF1).toBeCloseTo((0 + 1 / 3 + 2 / 3 + 1 / 2) / 4, 12);
  // Only the questions without tools count.
  expect(figures.toolHallucination).toBe(1 / 2);
});

test("a behaviour that is neither right nor chosen is left out of the mean", () => {
  const figures = choiceFigures([item("tool_call", "tool_call"), item("cannot_answer", "cannot_answer")]);
  expect(figures).toMatchObject({ accuracy: 1, macroF1: 1, toolHallucination: null });
});

test("normalised by characters, the longer answer may win", () => {
  const long = { gold: "direct", tools: 0, logLikelihoods: [-20, -10, -30, -40], lengths: [100, 5, 5, 5] } as const;
  expect(choiceFigures([long])).toMatchObject({ accuracy: 0, accuracyNormalised: 1 });
});

test("of equal scores the first", () => {
  expect(chosen([-2, -1, -1, -3])).toBe("tool_call");
  expect(() => choiceFigures([])).toThrow(RangeError);
});
