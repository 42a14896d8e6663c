/** Other work in the place of what opens a model: a test that imports this never trains, samples or evaluates. */
import { vi } from "vitest";

type Work = Pick<typeof import("../../src/run/train"), "train" | "pretrain" | "sft" | "dpo"> &
  Pick<typeof import("../../src/run/sample"), "sample"> &
  Pick<typeof import("../../src/run/evaluate"), "evaluate" | "evaluateBench">;

const unused = async (): Promise<never> => {
  throw new Error("this command was not to be run");
};
const NONE: Work = {
  train: unused,
  pretrain: unused,
  sft: unused,
  dpo: unused,
  sample: unused,
  evaluate: unused,
  evaluateBench: unused,
};
let work = NONE;

/** From now on commands do this. What is not named must not be called. */
export function substitute(parts: Partial<Work>): void {
  work = { ...NONE, ...parts };
}

const train: Partial<Work> = {
  train: (...given) => work.train(...given),
  pretrain: (...given) => work.pretrain(...given),
  sft: (...given) => work.sft(...given),
  dpo: (...given) => work.dpo(...given),
};
vi.doMock("../../src/run/train", () => train);
vi.doMock("../../src/run/sample", () => ({ sample: (...given: Parameters<Work["sample"]>) => work.sample(...given) }));
const evaluate: Partial<Work> = {
  evaluate: (...given) => work.evaluate(...given),
  evaluateBench: (...given) => work.evaluateBench(...given),
};
vi.doMock("../../src/run/evaluate", () => evaluate);
