import { pretrainOptions } from "../../options/supervised";
import { trainingCommand } from "../training";

const EXAMPLES = `  zerotir pretrain --dataset nano --max-steps 1000 --output-dir runs/nano-base
  zerotir pretrain --dataset corpus.jsonl --model-config config.json --tokenizer models/my-tokenizer`;

/** `zerotir pretrain`. */
export const command = trainingCommand(pretrainOptions, {
  summary: "next-token training on a corpus",
  examples: EXAMPLES,
  load: async () => (await import("../../run/train")).pretrain,
});
