/** Questions that are made while they are used: synthetic arithmetic, and problems on graphs of quantities. */

import { hashText } from "../base/random";
import { dagProblem } from "../tasks/dag/problem";
import { dagRange } from "../tasks/dag/rows";
import { nanoBenchmarkProblem, nanoProblem } from "../tasks/nano/problems";
import type { QuestionRow, QuestionSource } from "./prompts";

/**
 * Training questions of that name without end: never the same order twice for two seeds, and none of the held-out ones among them.
 * @returns undefined when there are none of that name
 */
export function syntheticQuestions(name: string, seed: number): QuestionSource | undefined {
  const range = dagRange(name);
  if (name !== "nano" && range === undefined) return undefined;
  // Corpora and files of solutions use seeds as they are; questions use another stream.
  const stream = seed ^ 0x5eed;
  const train = (index: number): QuestionRow => {
    if (range === undefined) {
      const { expression, answer } = nanoProblem(stream, index, "train");
      return { prompt: expression, answer };
    }
    const { question, answer } = dagProblem(stream, index, range, "train");
    return { prompt: question, answer };
  };
  return {
    name,
    passLength: Number.POSITIVE_INFINITY,
    train,
    heldOut: (count) => syntheticBenchmark(name, count) ?? [],
  };
}

/** The first `count` held-out questions of that name; undefined when there are none. */
export function syntheticBenchmark(name: string, count: number): QuestionRow[] | undefined {
  const range = dagRange(name);
  if (range === undefined && nanoBenchmarkProblem(name, 0) === undefined) return undefined;
  return Array.from({ length: count }, (_, index) => {
    if (range === undefined) {
      const { expression = "", answer = "" } = nanoBenchmarkProblem(name, index) ?? {};
      return { prompt: expression, answer };
    }
    const { question, answer } = dagProblem(hashText("benchmark"), index, range, "eval");
    return { prompt: question, answer };
  });
}
