/**
 * A world of one's own in place of Python: a number is to be found, and each guess is told whether to go higher or
 * lower. It is the same number in all games, so that the shipped model, which knows little more than digits, learns it
 * in a few steps. node docs/examples/train-in-an-environment.mjs [RUN_FOLDER]
 */
import { GRPOTrainer } from "zerotir";

/** The world of one trajectory. */
class Guessing {
  /** A guess ends with the brace that closes its box: the shipped model writes \boxed{7}. */
  turnEnds = ["}"];

  /** Called first with the row of the data set; a text that it returns takes the place of the row's prompt. */
  reset({ target }) {
    this.target = target;
    this.best = 0;
  }

  /** Answers a turn of the model. */
  step(text) {
    const guess = Number(/(\d+)$/.exec(text)?.[1] ?? Number.NaN);
    if (Number.isNaN(guess)) return { done: true };
    const distance = Math.abs(guess - this.target);
    this.best = Math.max(this.best, 1 / (1 + distance));
    return distance === 0 ? { done: true } : ` ${guess < this.target ? ">" : "<"}=\\boxed{`;
  }

  /** Called at the end: 1 for the number, less the further the best guess was from it. */
  reward() {
    return this.best;
  }
}

const rewards = [];
const trainer = new GRPOTrainer({
  model: "nano-base",
  trainDataset: Array.from({ length: 8 }, (_, i) => ({ prompt: `${i}+${i + 5}`, target: 30 })),
  environmentFactory: () => new Guessing(),
  args: {
    promptTemplate: "nano",
    maxSteps: 10,
    promptsPerStep: 8,
    numGenerations: 8,
    maxPromptLength: 32,
    maxCompletionLength: 40,
    maxToolCalls: 3,
    maxToolResponseTokens: 16,
    learningRate: 5e-4,
    seed: 7,
    outputDir: process.argv[2] ?? null,
  },
  events: {
    onStep: ({ step, reward }) => {
      rewards.push(reward);
      console.log(`step ${step}: reward ${reward.toFixed(3)}`);
    },
  },
});
await trainer.train();
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
console.log(JSON.stringify({ first: mean(rewards.slice(0, 3)), last: mean(rewards.slice(-3)) }));
