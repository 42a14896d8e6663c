import { Command } from "commander";
import type { TrainOptions } from "../../options/train";
import { jsonLine } from "../io";
import type { CommandContext } from "./context";
import { adapterOption, dtypeOption, jsonOption, type Toggles, togglesOption } from "./device-options";

const EXAMPLES = `
Examples:
  echo '[[1, 403, 407], [1, 5]]' > ids.json
  zerotir parity --model models/stories260K --ids ids.json --out ours.safetensors
  echo '[[0, 1, -0.5], [0, 2]]' > coef.json
  zerotir parity --model models/stories260K --ids ids.json --coef coef.json --out ours.safetensors

The file holds, in float32: logits.<i> [tokens, vocabulary] of the token after each one, logprobs.<i> [tokens] with 0 first, and with --coef
grad.<tensor> for every parameter: the gradient of the sum of coefficient times log-prob over all tokens.`;

/** `zerotir parity`: logits, log-probs and gradients for given ids, to be held against another implementation. */
export function parityCommand({ io, runners, finish }: CommandContext): Command {
  const about = "logits, log-probs and gradients for given token ids, as safetensors";
  return new Command("parity")
    .summary(about)
    .description(about)
    .requiredOption("--model <folder>", "Hugging Face folder with config.json and weights; needs no tokenizer")
    .requiredOption("--ids <file>", "JSON: a list of lists of token ids")
    .requiredOption("--out <file>", "safetensors file to write")
    .option("--coef <file>", "JSON of the same shape: one coefficient per token; adds gradients")
    .addOption(dtypeOption())
    .addOption(adapterOption())
    .addOption(togglesOption())
    .addOption(jsonOption("one JSON object"))
    .addHelpText("after", EXAMPLES)
    .action(
      async (flags: {
        model: string;
        ids: string;
        out: string;
        dtype: TrainOptions["dtype"];
        coef?: string;
        adapter?: string;
        toggles: Toggles;
        json?: boolean;
      }) => {
        const { json, adapter, coef, ...rest } = flags;
        const report = await runners.parity(
          { ...rest, adapter: adapter ?? null, coef: coef ?? null },
          { signal: io.signal, announce: (line) => io.stderr.write(`${line}\n`) },
        );
        if (json === true) jsonLine(io.stdout, { event: "parity", ...report });
        else
          io.stdout.write(
            `${report.out}: ${report.sequences} sequences, ${report.tokens} tokens, ${report.tensors} tensors, ${report.bytes} bytes\n`,
          );
        finish(0);
      },
    );
}
