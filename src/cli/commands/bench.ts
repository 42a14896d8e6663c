import type { CliCommand } from "../command";
import { adapterOption, jsonOption, type Toggles, togglesOption } from "../flags";
import { jsonLine } from "../io";

const KERNEL_EXAMPLES = `  zerotir bench kernels
  zerotir bench kernels --filter linear --json > bench.jsonl`;

interface KernelFlags {
  readonly adapter?: string;
  readonly toggles: Toggles;
  readonly filter?: string;
  readonly json?: boolean;
}

/** `zerotir bench kernels`. */
const kernels: CliCommand = {
  summary: "every kernel's GFLOP/s, GB/s and share of this adapter's roofline",
  examples: KERNEL_EXAMPLES,
  build(command, { io, finish }) {
    command
      .addOption(adapterOption())
      .addOption(togglesOption())
      .option("--filter <text>", "only cases whose name holds this")
      .addOption(jsonOption("JSON lines"))
      .action(async (flags: KernelFlags) => {
        const { adapter = null, toggles, filter = null, json = false } = flags;
        const { benchEveryKernel } = await import("../../run/bench-kernels");
        await benchEveryKernel(
          { adapter, toggles, filter, json },
          {
            announce: (line) => io.stderr.write(`${line}\n`),
            onLine: (line) => io.stdout.write(`${line}\n`),
            onStep(step) {
              if (json) return jsonLine(io.stdout, step);
              const { name, dispatches, submits, readbacks, seconds, tokens } = step;
              const time = `${(seconds * 1000).toFixed(1)} ms, ${Math.round(tokens / seconds)} tokens/s`;
              io.stdout.write(
                `${name}: ${dispatches} dispatches, ${submits} submits, ${readbacks} readbacks, ${time}\n`,
              );
            },
          },
        );
        finish(0);
      });
  },
};

/** `zerotir bench`. */
export const command: CliCommand = { summary: "microbenchmarks", commands: { kernels } };
