import { expect, test } from "vitest";
import type { Dataset } from "../../src/data/dataset";
import { resolveTrainOptions } from "../../src/options/train";
import type { TrainingHost } from "../../src/session/host";
import { openQuestions } from "../../src/session/questions";

const refused = (): never => {
  throw new Error("not to be used here");
};

/** A host whose data sets are lists of questions by name and role. */
function host(sets: Readonly<Record<string, readonly string[]>>): TrainingHost {
  return {
    openGpu: refused,
    modelFolder: refused,
    openPython: refused,
    openRewards: refused,
    readText: refused,
    runFiles: refused,
    checkpointFolder: refused,
    async loadDataset({ dataset, role, split }): Promise<Dataset> {
      const prompts = sets[`${dataset} ${split ?? role}`] ?? refused();
      const rows = prompts.map((prompt) => ({ prompt, answer: "1", columns: { level: 3 } }));
      return { name: dataset, split: role, files: [], rows };
    },
  };
}

async function open(values: Readonly<Record<string, unknown>>, sets: Readonly<Record<string, readonly string[]>>) {
  const options = resolveTrainOptions([
    { source: "the test", spelling: "flag", values: { modelNameOrPath: "m", ...values } },
  ]);
  const notices: string[] = [];
  const questions = await openQuestions(options, host(sets), (line) => notices.push(line), refused);
  return { questions, notices };
}

test("a training set that shares problems with the evaluation set is announced", async () => {
  const sets = { "a train": ["What is 2+2?", "x"], "b eval": ["what is $2+2$?", "y"], "c eval": ["y"] };
  const { questions, notices } = await open({ dataset: "a", evalDataset: "b" }, sets);
  expect(notices).toEqual([
    expect.stringMatching(
      /^of the 2 problems of b, 1 are in the training set too and 0 .*data check --train a --eval b$/,
    ),
  ]);
  expect(questions.heldOut(9).map(({ prompt }) => prompt)).toEqual(["what is $2+2$?", "y"]);
  expect((await open({ dataset: "a", evalDataset: "c" }, sets)).notices).toEqual([]);
  // Without a table the evaluation set is not read.
  expect((await open({ dataset: "a", evalDataset: "none", evalSamples: 0 }, sets)).questions.passLength).toBe(2);
});

test("the split of the options is asked for, and a row's other columns reach the run", async () => {
  const { questions } = await open({ dataset: "a", datasetSplit: "dev", evalSamples: 0 }, { "a dev": ["q"] });
  expect(questions.train(0)).toMatchObject({ prompt: "q", columns: { level: 3 } });
});

test("nano trains on what it makes, and may be measured on a file, or the other way round", async () => {
  const onFile = await open({ dataset: "nano", evalDataset: "b" }, { "b eval": ["y"] });
  expect(onFile.questions.heldOut(3).map(({ prompt }) => prompt)).toEqual(["y"]);
  const onNano = await open({ dataset: "a", evalDataset: "nano", evalSamples: 5 }, { "a train": ["x", "z"] });
  expect(onNano.questions.heldOut(5)).toHaveLength(5);
  expect(onNano.questions.passLength).toBe(2);
});
