import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Command, InvalidArgumentError, Option } from "commander";
import { UserError } from "../../model/user-error";
import { jsonLine } from "../io";
import { Style } from "../render/style";
import { duration, plainText } from "../render/text";
import type { CommandContext } from "./context";

const adapterOption = () =>
  new Option("--adapter <text>", "hardware, lavapipe, swiftshader or a part of a name (default: the best there is)");
const togglesOption = () =>
  new Option("--toggles <name>", "fast leaves out WebGPU's bounds and validation checks")
    .choices(["safe", "fast"])
    .default("safe");
const jsonOption = (what: string) => new Option("--json", `${what} on standard output, all else on standard error`);

type Toggles = "safe" | "fast";

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

interface ToolFlags {
  readonly code?: string;
  readonly timeout: number;
  readonly memoryMb: number;
  readonly json?: boolean;
}

/** `zerotir tool run`: one program in the sandbox, as a model's block would run. */
export function toolCommand({ io, runners, finish }: CommandContext): Command {
  const about = "the Python sandbox that models use";
  const run = "runs one program in the sandbox and shows what a model would read";
  const command = new Command("tool").summary(about).description(about);
  command
    .command("run")
    .summary(run)
    .description(run)
    .argument("[file]", "Python file, or - for standard input")
    .option("--code <text>", "the program itself")
    .addOption(new Option("--timeout <seconds>", "wall clock").argParser(number(0.001, 3600)).default(10))
    .addOption(
      new Option("--memory-mb <n>", "memory of the interpreter, in MiB").argParser(number(32, 4096)).default(256),
    )
    .addOption(jsonOption("one JSON object"))
    .addHelpText(
      "after",
      '\nExamples:\n  zerotir tool run --code "print(47*86+5)"\n  zerotir tool run program.py --timeout 2 --json',
    )
    .action(async (file: string | undefined, flags: ToolFlags) => {
      const code = await programText(file, flags.code);
      const report = await runners.tool({ code, timeoutSeconds: flags.timeout, memoryMb: flags.memoryMb });
      if (flags.json === true) jsonLine(io.stdout, report);
      else {
        const style = new Style(io.stderr, io.env);
        io.stdout.write(plainText(report.observation));
        const verdict = `${report.status}, ${duration(report.milliseconds / 1000)}${report.truncated ? ", output cut" : ""}`;
        io.stderr.write(`${style.paint(report.status === "ok" ? "green" : "red", verdict)}\n`);
      }
      finish(report.status === "ok" ? 0 : 1);
    });
  return command;
}

async function programText(file: string | undefined, code: string | undefined): Promise<string> {
  if ((file === undefined) === (code === undefined))
    throw new UserError('tool run needs either a file (or - for standard input) or --code "print(1)"');
  if (code !== undefined) return code;
  if (file === undefined || file === "-") return text(process.stdin);
  return readFile(file, "utf8").catch(() => {
    throw new UserError(`${file}: cannot be read; expected a Python file`);
  });
}

function number(least: number, most: number): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (value.trim() === "" || !(parsed >= least && parsed <= most))
      throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`);
    return parsed;
  };
}
