/** A batch of random trajectories with rewards, and a small model to train on it, for the tests of updates. */

import type { Model } from "../../src/model/model";
import { ForwardPass, type ScoringPass, TrainingPass } from "../../src/model/policy-pass";
import type { TrainOptions } from "../../src/options/train";
import { resolveTrainOptions } from "../../src/options/train";
import { gradeTrajectory } from "../../src/reward/grade";
import type { GradedTrajectory } from "../../src/session/collect";
import { someJob } from "../reward/job";
import { modelContext, modelOf, Numbers, randomTensors } from "../support/reference/models";
import { TINY } from "./tiny-run";

export interface SmallModel {
  readonly model: Model;
  readonly pass: TrainingPass;
  /** A model nearby: the KL to it is neither 0 nor clamped. */
  readonly reference: ScoringPass;
}

export async function smallModel(): Promise<SmallModel> {
  const gpu = await modelContext();
  const model = modelOf(gpu, TINY, randomTensors(TINY));
  const pass = new TrainingPass(model, {
    rows: 120,
    sequences: 12,
    sequenceLength: 24,
    pageSize: 4,
    recompute: false,
    logitsBytes: 2 ** 20,
  });
  const noise = randomTensors(TINY, 5);
  const nearby = randomTensors(TINY).map((tensor, i) => ({
    ...tensor,
    data: tensor.data.map((value, j) => value + 0.05 * (noise[i]?.data[j] ?? 0)),
  }));
  return { model, pass, reference: new ForwardPass(modelOf(gpu, TINY, nearby), pass.shape, "nothing", "reference") };
}

/** Rewards of two groups; the third is all equal. */
const REWARDS = [
  [1, 0, 0, 1],
  [0, 0, 0, 1],
  [1, 1, 1, 1],
];

export function sequenceOf({ trajectory }: GradedTrajectory) {
  const ids = Uint32Array.from([...trajectory.promptIds, ...trajectory.ids]);
  return { ids, scored: Uint8Array.from([...new Uint8Array(trajectory.promptIds.length), ...trajectory.mask]) };
}

/** Random trajectories with observations, whose log-probs are those of the model plus `shift`, of alternating sign. */
export async function gradedGroups(pass: TrainingPass, shift = 0): Promise<GradedTrajectory[][]> {
  const numbers = new Numbers(5);
  const made = REWARDS.map((rewards, groupIndex) =>
    rewards.map((reward, sampleIndex): GradedTrajectory => {
      const length = 3 + numbers.below(12);
      const grade = gradeTrajectory({ ...someJob, gold: "1" });
      return {
        question: { prompt: "", answer: "1" },
        prompt: "",
        grade: { ...grade, numbers: { ...grade.numbers, reward, rule_rewards: reward === 1 ? 1 : 0 } },
        trajectory: {
          id: groupIndex * 4 + sampleIndex,
          groupIndex,
          sampleIndex,
          promptIds: Uint32Array.from({ length: 2 + groupIndex }, () => numbers.below(TINY.vocabularySize)),
          ids: Uint32Array.from({ length }, () => numbers.below(TINY.vocabularySize)),
          // The last token is always a sampled one.
          mask: Uint8Array.from({ length }, (_, t) => Number(t === length - 1 || t % 4 < 2)),
          logprobs: new Float32Array(length),
          segments: [],
          toolLog: [],
          policyVersions: [],
          finishReason: "stop",
          modelText: "",
          fullText: "",
        },
      };
    }),
  );
  for (const graded of made.flat()) {
    const { logprobs } = await pass.forward([sequenceOf(graded)], 1);
    let at = 0;
    graded.trajectory.mask.forEach((bit, t) => {
      if (bit === 1) graded.trajectory.logprobs[t] = (logprobs[at++] ?? 0) + (t % 2 === 0 ? shift : -shift);
    });
  }
  return made;
}

export function optionsOf(values: Record<string, unknown>): TrainOptions {
  return resolveTrainOptions([
    {
      source: "the test",
      spelling: "file",
      values: { modelNameOrPath: "x", dataset: "x", numGenerations: 4, learningRate: 0, ...values },
    },
  ]);
}
