/** Trajectories as people read them. */
import type { Tokenizer } from "../text/tokenizer";
import type { GradedTrajectory, Group } from "./collect";
import type { Transcript } from "./events";

/** Trajectories worth looking at: those with code and a right answer first, from different groups. */
export function chooseTranscripts(groups: readonly Group[], count: number): GradedTrajectory[] {
  const interest = ({ trajectory, grade }: GradedTrajectory) =>
    2 * Math.min(1, trajectory.toolLog.length) + grade.numbers.reward;
  const byInterest = (a: GradedTrajectory, b: GradedTrajectory) => interest(b) - interest(a);
  return groups
    .flatMap((group) => [...group].sort(byInterest).slice(0, 1))
    .sort(byInterest)
    .slice(0, count);
}

/** A trajectory with its segments as text. */
export function transcriptOf(tokenizer: Tokenizer, step: number, graded: GradedTrajectory): Transcript {
  const { trajectory, prompt, question, grade } = graded;
  return {
    step,
    prompt,
    answer: typeof question.answer === "string" ? question.answer : question.answer.join(" or "),
    reward: grade.numbers.reward,
    segments: trajectory.segments.map(({ kind, start, end }) => ({
      kind,
      text: tokenizer.decode(trajectory.ids.subarray(start, end), { continuation: true }),
    })),
    finishReason: trajectory.finishReason,
    modelTokens: trajectory.mask.reduce((sum, bit) => sum + bit, 0),
  };
}
