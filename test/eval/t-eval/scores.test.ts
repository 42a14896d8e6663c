import { expect, test } from "vitest";
import { instructScore, retrieveTextScore, reviewScore, understandScore } from "../../../src/eval/t-eval/scores";

test("instruct", () => {
  const gold = { name: "a.b", args: { x: 1, y: "z" } };
  expect(instructScore(gold, gold)).toBe(1);
  expect(instructScore({ name: "a.c", args: { x: 1 } }, gold)).toBeCloseTo(1 / 3, 12);
  expect(instructScore({ name: "a.b", args: {} }, { name: "a.b", args: {} })).toBe(1);
});

test.each([
  ["use Bing.search now", 1],
  ["Bing.search, then Maps.find", 0],
  ["Bing.search or FinishAction", 0],
  ["search", 0],
])("retrieve %j: %i", (text, score) => expect(retrieveTextScore(text, "Bing.search")).toBe(score));

test("understand", () => {
  expect(understandScore({ x: "1", z: 0 }, { x: 1, y: 2 })).toBeCloseTo(1 / 2.00001, 12);
  expect([understandScore({}, {}), understandScore({ x: 1 }, {})]).toEqual([1, 0]);
});

test.each([
  ["Answer: C because", 1],
  ["C", 1],
  ["A: C", 1],
  ["The answer is C", 0],
  ["", 0],
])("review %j: %i", (text, score) => expect(reviewScore(text, "C")).toBe(score));
