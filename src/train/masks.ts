/** Masks: trajectories that are left out of the loss after their reward has counted for their group. */
import { mean } from "../base/statistics";
import type { TrainOptions } from "../options/train";
import { type SampleMask, sampleMasks } from "../rl/filters";
import type { GradedTrajectory } from "../session/collect";

type MaskOptions = Pick<TrainOptions, "maskTruncatedCompletions" | "sampleMasks">;

/** Names of the masks that leave this trajectory out. */
export function masksOf({ trajectory, grade }: GradedTrajectory, options: MaskOptions): (SampleMask | "truncated")[] {
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

/** Share of the trajectories that each mask in use leaves out; 0 of none. */
export function maskedShares(trajectories: readonly GradedTrajectory[], options: MaskOptions): Record<string, number> {
  const flagged = trajectories.map((graded) => masksOf(graded, options));
  const names = [...(options.maskTruncatedCompletions ? ["truncated" as const] : []), ...(options.sampleMasks ?? [])];
  const share = (name: SampleMask | "truncated") =>
    mean(
      flagged.map((masks) => Number(masks.includes(name))),
      0,
    );
  return Object.fromEntries(names.map((name) => [name, share(name)] as const));
}
