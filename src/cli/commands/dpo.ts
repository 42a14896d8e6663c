import { dpoOptions } from "../../options/supervised";
import { trainingCommand } from "../training";

const EXAMPLES = `  zerotir dpo --model-name-or-path runs/sft/checkpoints/step_00100 --dataset pairs.jsonl --beta 0.1
  zerotir dpo --model-name-or-path models/Qwen2.5-0.5B --dataset pairs.jsonl --loss-type rpo --rpo-alpha 1 --use-peft`;

/** `zerotir dpo`. */
export const command = trainingCommand(dpoOptions, {
  summary: "training on preferred and rejected answers",
  examples: EXAMPLES,
  load: async () => (await import("../../run/train")).dpo,
});
