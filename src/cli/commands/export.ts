import { Option } from "commander";
import { type DtypeName, dtypeNames } from "../../model/safetensors/dtype";
import type { CliCommand } from "../command";
import { jsonOption } from "../flags";
import { jsonLine } from "../io";

const EXAMPLES = `  zerotir export --model runs/seven --output seven-merged              the newest checkpoint of a run, its adapter merged
  zerotir export --model runs/seven/checkpoints/step_00040 --output small --dtype bfloat16
  zerotir export --model runs/seven --output seven-adapter --adapter-only   a folder for PEFT

The folder has Hugging Face's layout: config.json, tokenizer files, model.safetensors (above 5 GB in several files with an index).
Needs no GPU. An adapter is merged in higher precision and rounded once to --dtype.`;

interface Flags {
  readonly model: string;
  readonly output: string;
  readonly dtype: DtypeName;
  readonly adapterOnly?: boolean;
  readonly json?: boolean;
}

/** `zerotir export`: a whole model, or a PEFT folder, from a checkpoint. */
export const command: CliCommand = {
  summary: "a model as other programs load it: whole, with its adapter merged, or the adapter alone",
  examples: EXAMPLES,
  build(command, { io, finish }) {
    command
      .requiredOption("--model <folder>", "run folder (its newest checkpoint), checkpoint, PEFT or model folder")
      .requiredOption("--output <folder>", "new folder to write")
      .addOption(new Option("--dtype <name>", "of the weights in the files").choices(dtypeNames).default("float32"))
      .option("--adapter-only", "write adapter_config.json and adapter_model.safetensors, in float32, and no model")
      .addOption(jsonOption("one JSON object"))
      .action(async ({ json, adapterOnly = false, ...rest }: Flags) => {
        const { exportCheckpoint } = await import("../../run/export");
        const report = await exportCheckpoint({ ...rest, adapterOnly });
        if (json === true) jsonLine(io.stdout, { event: "export", ...report });
        else {
          const what = report.merged ? "adapter merged" : adapterOnly ? "adapter" : "model";
          io.stdout.write(
            `${report.output}: ${what} of ${report.model}, ${report.files.length} files, ${report.bytes} bytes\n`,
          );
        }
        finish(0);
      });
  },
};
