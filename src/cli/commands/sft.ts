import { sftOptions } from "../../options/supervised";
import { trainingCommand } from "../training";

const EXAMPLES = `  zerotir sft --model-name-or-path models/Qwen2.5-0.5B --dataset conversations.jsonl --max-length 2048
  zerotir sft --model-name-or-path nano-base --dataset nano --max-length 256 --max-steps 100
  zerotir sft --model-name-or-path nano-base --dataset runs/seven/rollouts/step_00040.jsonl --min-reward 1`;

/** `zerotir sft`. */
export const command = trainingCommand(sftOptions, {
  summary: "training on given answers",
  examples: EXAMPLES,
  load: async () => (await import("../../run/train")).sft,
});
