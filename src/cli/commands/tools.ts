import { Command } from "commander";
import type { CommandContext } from "./context";
import { adapterOption, jsonOption, type Toggles, togglesOption } from "./device-options";

/** `zerotir doctor`. */
export function doctorCommand({ io, runners, finish }: CommandContext): Command {
  const about = "which adapter is used, what it can do, how fast it is";
  return new Command("doctor")
    .summary(about)
    .description(about)
    .addOption(adapterOption())
    .addOption(togglesOption())
    .addOption(jsonOption("one JSON object"))
    .addHelpText("after", "\nExamples:\n  zerotir doctor\n  zerotir doctor --adapter swiftshader --json")
    .action(async ({ json, ...flags }: { json?: boolean; adapter?: string; toggles: Toggles }) =>
      finish(await runners.doctor({ ...flags, json: json === true }, io)),
    );
}

/** `zerotir bench kernels`. */
export function benchCommand({ io, runners, finish }: CommandContext): Command {
  const about = "microbenchmarks";
  const kernels = "every kernel's GFLOP/s, GB/s and share of this adapter's roofline";
  const command = new Command("bench").summary(about).description(about);
  command
    .command("kernels")
    .summary(kernels)
    .description(kernels)
    .addOption(adapterOption())
    .addOption(togglesOption())
    .option("--filter <text>", "only cases whose name holds this")
    .addOption(jsonOption("JSON lines"))
    .addHelpText(
      "after",
      "\nExamples:\n  zerotir bench kernels\n  zerotir bench kernels --filter linear --json > bench.jsonl",
    )
    .action(async (flags: { json?: boolean; adapter?: string; toggles: Toggles; filter?: string }) =>
      finish(
        await runners.benchKernels(
          {
            adapter: flags.adapter ?? null,
            toggles: flags.toggles,
            filter: flags.filter ?? null,
            json: flags.json === true,
          },
          io,
        ),
      ),
    );
  return command;
}
