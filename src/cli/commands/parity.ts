import { Option } from "commander";
import { dtypeFields } from "../../options/fields/adapter";
import type { TrainOptions } from "../../options/train";
import type { CliCommand } from "../command";
import { adapterOption, jsonOption, type Toggles, togglesOption } from "../flags";
import { jsonLine } from "../io";

const EXAMPLES = `  echo '[[1, 403, 407], [1, 5]]' > ids.json
  zerotir parity --model models/stories260K --ids ids.json --out ours.safetensors
  echo '[[0, 1, -0.5], [0, 2]]' > coef.json
  zerotir parity --model models/stories260K --ids ids.json --coef coef.json --out ours.safetensors

The file holds, in float32: logits.<i> [tokens, vocabulary] of the token after each one, logprobs.<i> [tokens] with 0 first, and with --coef
grad.<tensor> for every parameter: the gradient of the sum of coefficient times log-prob over all tokens.`;

interface Flags {
  readonly model: string;
  readonly ids: string;
  readonly out: string;
  readonly dtype: TrainOptions["dtype"];
  readonly coef?: string;
  readonly adapter?: string;
  readonly toggles: Toggles;
  readonly json?: boolean;
}

/** `zerotir parity`: logits, log-probs and gradients for given ids, to be held against another implementation. */
export const command: CliCommand = {
  summary: "logits, log-probs and gradients for given token ids, as safetensors",
  examples: EXAMPLES,
  build(command, { io, finish }) {
    command
      .requiredOption("--model <folder>", "Hugging Face folder with config.json and weights; needs no tokenizer")
      .requiredOption("--ids <file>", "JSON: a list of lists of token ids")
      .requiredOption("--out <file>", "safetensors file to write")
      .option("--coef <file>", "JSON of the same shape: one coefficient per token; adds gradients")
      .addOption(
        new Option("--dtype <name>", "how weight matrices lie in memory")
          .choices(dtypeFields.dtype.unwrap().options)
          .default("float32"),
      )
      .addOption(adapterOption())
      .addOption(togglesOption())
      .addOption(jsonOption("one JSON object"))
      .action(async (flags: Flags) => {
        const { json, adapter = null, coef = null, ...rest } = flags;
        const { parity } = await import("../../run/parity");
        const report = await parity(
          { ...rest, adapter, coef },
          { signal: io.signal, announce: (line) => io.stderr.write(`${line}\n`) },
        );
        if (json === true) jsonLine(io.stdout, { event: "parity", ...report });
        else
          io.stdout.write(
            `${report.out}: ${report.sequences} sequences, ${report.tokens} tokens, ${report.tensors} tensors, ${report.bytes} bytes\n`,
          );
        finish(0);
      });
  },
};
