import { planOptions } from "../../options/plan";
import type { CliCommand } from "../command";
import { jsonLine } from "../io";
import { type CommonFlags, layersOf, printResolved } from "../options";
import { planLines } from "../render/plan";

const EXAMPLES = `  zerotir plan --model-name-or-path models/Qwen2.5-0.5B --gpu-memory 24GB
  zerotir plan --preset nano --json

Nothing is loaded but config.json, and no GPU is needed. With --gpu-memory, sizes that are not given are the largest that fit; without it, those
that train takes by itself.`;

/** `zerotir plan`: the GPU memory of a training run, before anything is loaded. */
export const command: CliCommand = {
  summary: "GPU memory of a training run, and the sizes that fit",
  examples: EXAMPLES,
  options: planOptions,
  build(command, context) {
    const { io, finish } = context;
    command.action(async (flags: CommonFlags) => {
      const options = planOptions.resolve(await layersOf(planOptions, { ...flags }, context));
      const json = flags.json === true;
      if (flags.dryRun === true) {
        printResolved(planOptions, options, json, io);
        return finish(0);
      }
      const { plan } = await import("../../run/plan");
      const planned = await plan(options);
      if (json) jsonLine(io.stdout, { event: "plan", model: options.modelNameOrPath, ...planned });
      else io.stdout.write(`${planLines(planned).join("\n")}\n`);
      finish(0);
    });
  },
};
