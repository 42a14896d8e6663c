import { Command } from "commander";
import { planOptions } from "../../options/plan";
import { type MemoryKind, type MemoryPlan, size } from "../../train/memory-plan";
import { jsonLine } from "../io";
import { addOptions, type CommonFlags, layersOf, printResolved } from "../options";
import { alignColumns } from "../render/charts";
import type { CommandContext } from "./context";

const EXAMPLES = `
Examples:
  zerotir plan --model-name-or-path models/Qwen2.5-0.5B --gpu-memory 24GB
  zerotir plan --preset nano --json

Nothing is loaded but config.json, and no GPU is needed. With --gpu-memory, sizes that are not given are the largest that fit; without it, those
that train takes by itself.`;

/** `zerotir plan`: the GPU memory of a training run, before anything is loaded. */
export function planCommand({ io, runners, overrides, finish }: CommandContext): Command {
  const about = "GPU memory of a training run, and the sizes that fit";
  return addOptions(new Command("plan").summary(about).description(about), planOptions)
    .addHelpText("after", EXAMPLES)
    .action(async (flags: CommonFlags) => {
      const options = planOptions.resolve(await layersOf(planOptions, { ...flags }, overrides));
      const json = flags.json === true;
      if (flags.dryRun === true) {
        printResolved(planOptions, options, json, io);
        return finish(0);
      }
      const plan = await runners.plan(options);
      if (json) jsonLine(io.stdout, { event: "plan", model: options.modelNameOrPath, ...plan });
      else io.stdout.write(`${planLines(plan).join("\n")}\n`);
      finish(0);
    });
}

function planLines({ bytes, total, sizes }: MemoryPlan): string[] {
  const kinds = Object.keys(bytes) as MemoryKind[];
  const rows = [...kinds.map((kind) => [kind, size(bytes[kind])]), ["all", size(total)]];
  return [
    ...alignColumns(rows).map((row) => `  ${row}`),
    "",
    `  --micro-batch-tokens ${sizes.microBatchTokens}`,
    `  --concurrency ${sizes.concurrency}`,
    `  --${sizes.gradientCheckpointing ? "" : "no-"}gradient-checkpointing`,
  ];
}
