import { type EvalOptions, evalOptions } from "../../options/evaluate";
import type { CliCommand } from "../command";
import { type CliIo, jsonLine } from "../io";
import { type CommonFlags, layersOf, printResolved } from "../options";
import { evaluationLines } from "../render/evaluation";
import { Screen } from "../render/screen";
import { Style } from "../render/style";
import { tEvalLines } from "../render/t-eval";
import { plainText, shorten } from "../render/text";
import { when2CallLines } from "../render/when2call";

const EXAMPLES = `  zerotir eval --preset nano                                           the shipped model, before any training
  zerotir eval --preset nano --model-name-or-path nano-base,runs/seven --num-generations 32 nano nano-long nano-digits
  zerotir eval --preset nano --max-tool-calls 0,1,2 --num-generations 8    without the tool, and with more and more of it
  zerotir eval --model-name-or-path models/Qwen2.5-0.5B math500.jsonl --greedy --output-dir evals/qwen
  zerotir eval --bench when2call --model-name-or-path models/Qwen2.5-0.5B --output-dir evals/when2call    when to call a tool
  zerotir eval --bench teval --teval-dir teval/data --predictions answers.jsonl    the six scores of T-Eval; or with a model
  zerotir eval --endpoint http://localhost:8000/v1 --endpoint-model Qwen/Qwen2.5-7B aime25.jsonl --num-generations 32

With --output-dir a call that was killed goes on where it stopped when it is given again.
avg@K is the share of right answers, pass@k the unbiased estimate of one right among k, maj@K the most frequent answer.`;

/** `zerotir eval`: models over benchmarks. */
export const command: CliCommand = {
  summary: "models over benchmarks: avg@K, pass@k, maj@K, code ratio",
  examples: EXAMPLES,
  options: evalOptions,
  isGraceful: true,
  build(command, context) {
    const { io, finish } = context;
    command
      .argument("[benchmarks...]", "benchmarks, as with --dataset")
      .action(async (benchmarks: readonly string[], flags: CommonFlags & { readonly dataset?: string }) => {
        const layers = await layersOf(evalOptions, { ...flags }, context);
        const named = flags.dataset === undefined ? [] : flags.dataset.split(",");
        const given = { dataset: [...named, ...benchmarks] };
        const options = evalOptions.resolve(
          benchmarks.length === 0 ? layers : [...layers, { source: "command line", spelling: "flag", values: given }],
        );
        const json = flags.json === true;
        if (flags.dryRun === true) {
          printResolved(evalOptions, options, json, io);
          return finish(0);
        }
        finish(await (options.bench === null ? overBenchmarks(options, json, io) : bench(options, json, io)));
      });
  },
};

/** @returns the exit code */
async function overBenchmarks(options: EvalOptions, json: boolean, io: CliIo): Promise<number> {
  const { evaluate } = await import("../../run/evaluate");
  const screen = new Screen(io.stderr);
  screen.setStatus("  opening models and benchmarks");
  let last = "";
  const report = await evaluate(options, {
    signal: io.signal,
    announce: (line) => screen.print(line),
    onProgress(done, total, what) {
      // Off a terminal one line for each model on each benchmark.
      if (what !== last && !screen.isTerminal) screen.print(plainText(`${done} of ${total} samples: ${what}`));
      last = what;
      screen.setStatus(shorten(plainText(`  ${done} of ${total} samples: ${what}`), screen.columns() - 1));
    },
  });
  screen.setStatus();
  if (json) jsonLine(io.stdout, { event: "eval", ...report });
  else io.stdout.write(`${evaluationLines(report, new Style(io.stdout, io.env)).join("\n")}\n`);
  return report.finished ? 0 : 1;
}

/** `zerotir eval --bench`. @returns the exit code */
async function bench(options: EvalOptions, json: boolean, io: CliIo): Promise<number> {
  const { evaluateBench } = await import("../../run/evaluate");
  const screen = new Screen(io.stderr);
  screen.setStatus("  opening model and rows");
  let printed = 0;
  const report = await evaluateBench(options, {
    signal: io.signal,
    announce: (line) => screen.print(line),
    onProgress(done, total) {
      const line = `${done} of ${total} rows`;
      screen.setStatus(`  ${line}`);
      // Off a terminal about ten lines in all.
      if (screen.isTerminal || done < printed) return;
      screen.print(line);
      printed = done + Math.max(1, Math.ceil(total / 10));
    },
  });
  screen.setStatus();
  if (json) jsonLine(io.stdout, { event: "eval", ...report });
  else {
    const style = new Style(io.stdout, io.env);
    const lines = report.bench === "when2call" ? when2CallLines(report, style) : tEvalLines(report, style);
    io.stdout.write(`${lines.join("\n")}\n`);
  }
  return report.bench === "when2call" && !report.finished ? 1 : 0;
}
