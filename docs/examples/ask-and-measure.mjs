/** Answers of a checkpoint, and its figures on a benchmark: node docs/examples/ask-and-measure.mjs [MODEL] */
import { evaluate, generate } from "zerotir";

const model = process.argv[2] ?? "nano-base";

const answers = await generate({
  model,
  prompts: ["47*86", "7+5"],
  args: { promptTemplate: "nano", numGenerations: 2, maxToolCalls: 1, maxCompletionLength: 112, seed: 3 },
});
for (const { prompt, text, logprobs } of answers)
  console.log(JSON.stringify({ prompt, text, logprob: logprobs.reduce((sum, logprob) => sum + logprob, 0) }));

const { cells } = await evaluate({
  model,
  dataset: [
    { prompt: "3+4", answer: "7" },
    { prompt: "9-2", answer: "7" },
    { prompt: "12*12", answer: "144" },
  ],
  args: { preset: "nano", numGenerations: 8, maxToolCalls: [1] },
});
for (const { benchmark, figures } of cells) console.log(JSON.stringify({ benchmark, figures }));
