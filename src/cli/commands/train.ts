import { trainOptions } from "../../options/train";
import { trainingCommand } from "../training";

const EXAMPLES = `  zerotir train --preset nano                             the shipped model learns to use Python, in minutes
  zerotir train --preset nano --max-steps 60 --seed 7 --output-dir runs/seven
  zerotir train --resume-from-checkpoint latest --output-dir runs/seven --preset nano --max-steps 80
  zerotir train --model-name-or-path models/Qwen2.5-0.5B --dataset gsm8k.jsonl --learning-rate 1e-6
  zerotir train --preset nano --reward-funcs torl,execution_penalty --reward-weights 1,0.5
  zerotir train --preset nano --reward-funcs accuracy,./my_reward.mjs   a function of your own: docs/rewards.md
  zerotir train --config run.yaml --train.learning-rate 5e-6
  zerotir train --preset nano --dry-run > run.yaml        the options, as a file for --config`;

/** `zerotir train`. */
export const command = trainingCommand(trainOptions, {
  summary: "reinforcement learning with Python as a tool",
  examples: EXAMPLES,
  load: async () => (await import("../../run/train")).train,
});
