/** Which trajectories the loss leaves out, after their rewards have counted for their groups. */
import { mean } from "../base/statistics";
import type { TrainOptions } from "../options/train";
import { type SampleMask, sampleMasks } from "../rl/sample-masks";
import type { GradedTrajectory } from "../session/collect";

/** Names of the masks that leave this trajectory out of the loss. */
export function masksOf(
  { trajectory, grade }: GradedTrajectory,
  options: Pick<TrainOptions, "maskTruncatedCompletions" | "sampleMasks">,
): (SampleMask | "truncated")[] {
  const { numbers } = grade;
  const truncated = trajectory.finishReason === "length";
  const facts = {
    correct: numbers.rule_rewards === 1,
    truncated,
    answered: grade.prediction !== null,
    codeBlocks: numbers.code_count,
    outputBlocks: numbers.output_count,
    openedBlocks: numbers.partial_code_count,
    executions: numbers.code_execution_times,
    repeatness: numbers.repeatness,
    trigramRepetition: numbers.repetition_penalty,
  };
  return [
    ...(options.maskTruncatedCompletions && truncated ? ["truncated" as const] : []),
    ...(options.sampleMasks ?? []).filter((name) => sampleMasks[name](facts)),
  ];
}

/** Share of the trajectories that each mask in use leaves out. */
export function maskedShares(
  trajectories: readonly GradedTrajectory[],
  options: Pick<TrainOptions, "maskTruncatedCompletions" | "sampleMasks">,
): Record<string, number> {
  const flagged = trajectories.map((graded) => masksOf(graded, options));
  const names = [...(options.maskTruncatedCompletions ? ["truncated" as const] : []), ...(options.sampleMasks ?? [])];
  return Object.fromEntries(
    names.map(
      (name) =>
        [
          name,
          mean(
            flagged.map((masks) => Number(masks.includes(name))),
            0,
          ),
        ] as const,
    ),
  );
}
