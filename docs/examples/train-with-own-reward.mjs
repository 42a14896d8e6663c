/**
 * Trains the shipped model with a reward function of one's own: node docs/examples/train-with-own-reward.mjs
 * [RUN_FOLDER]
 */
import { GRPOTrainer, verifyAnswer } from "zerotir";

/** A point for a right answer, less a little for each program that was run. */
function thriftyAccuracy({ completions, trajectories, answer }, { logExtra, logMetric }) {
  const programs = trajectories.map(({ executions }) => executions);
  logExtra("programs", programs);
  logMetric("programs", programs.reduce((sum, count) => sum + count, 0) / programs.length);
  return completions.map((text, i) => (verifyAnswer(text, answer[i]).verdict ? 1 - 0.1 * programs[i] : 0));
}

const trainer = new GRPOTrainer({
  model: "nano-base",
  rewardFuncs: thriftyAccuracy,
  // Rows may also be values: [{ prompt: "17*4", answer: "68" }, ...].
  trainDataset: "nano",
  args: { preset: "nano", maxSteps: 2, evalSamples: 0, outputDir: process.argv[2] ?? null },
  events: {
    onStep: (row) => console.log(`step ${row.step}: reward ${row.reward}, programs ${row["rewards/programs"]}`),
  },
});
const { runFolder, checkpoint } = await trainer.train();
console.log(`the run is in ${runFolder}, its weights in ${checkpoint}`);
