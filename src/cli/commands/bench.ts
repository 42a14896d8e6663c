import { UserError } from "../../base/errors";
import type { CliCommand } from "../command";
import { adapterOption, jsonOption, type Toggles, togglesOption } from "../flags";
import { jsonLine } from "../io";

const KERNEL_EXAMPLES = `  zerotir bench kernels
  zerotir bench kernels --filter linear --json > bench.jsonl
  zerotir bench kernels --shapes qwen2.5-0.5b,nano --compile-only`;

interface KernelFlags {
  readonly adapter?: string;
  readonly toggles: Toggles;
  readonly filter?: string;
  readonly json?: boolean;
  readonly shapes?: string;
  readonly compileOnly?: boolean;
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
      .option("--shapes <names>", "with --compile-only: models whose programs are compiled, with commas")
      .option("--compile-only", "compile every program that a run of these models can need, and run none")
      .addOption(jsonOption("JSON lines"))
      .action(async (flags: KernelFlags) => {
        const { adapter = null, toggles, filter = null, json = false, shapes, compileOnly = false } = flags;
        if ((shapes !== undefined) !== compileOnly)
          throw new UserError(
            "--shapes and --compile-only go together: the first says of which models programs are compiled",
          );
        const announce = (line: string) => io.stderr.write(`${line}\n`);
        if (shapes !== undefined) {
          const { compileKernels } = await import("../../run/compile-kernels");
          await compileKernels(
            { adapter, toggles, filter, shapes },
            {
              announce,
              onProgram(program) {
                if (json) return jsonLine(io.stdout, program);
                const { milliseconds, phases } = program;
                io.stdout.write(
                  `${milliseconds.toFixed(0).padStart(6)} ms  ${program.program}  ${phases.join(", ")}; ${program.shapes.join(", ")}\n`,
                );
              },
            },
          );
          return finish(0);
        }
        const { benchEveryKernel } = await import("../../run/bench-kernels");
        await benchEveryKernel(
          { adapter, toggles, filter, json },
          {
            announce,
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
