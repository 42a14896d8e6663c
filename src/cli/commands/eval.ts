import { Command } from "commander";
import { evalOptions } from "../../options/evaluate";
import { jsonLine } from "../io";
import { addOptions, type CommonFlags, layersOf, printResolved } from "../options";
import { evaluationLines } from "../render/evaluation";
import { Screen } from "../render/screen";
import { Style } from "../render/style";
import { plainText, shorten } from "../render/text";
import type { CommandContext } from "./context";
import { evalBench } from "./eval-bench";

const EXAMPLES = `
Examples:
  zerotir eval --preset nano                                           the shipped model, before any training
  zerotir eval --preset nano --model-name-or-path nano-base,runs/seven --num-generations 32 nano nano-long nano-digits
  zerotir eval --preset nano --max-tool-calls 0,1,2 --num-generations 8    without the tool, and with more and more of it
  zerotir eval --model-name-or-path models/Qwen2.5-0.5B math500.jsonl --greedy --output-dir evals/qwen
  zerotir eval --bench when2call --model-name-or-path models/Qwen2.5-0.5B --output-dir evals/when2call    when to call a tool
  zerotir eval --bench teval --teval-dir teval/data --predictions answers.jsonl    the six scores of T-Eval; or with a model
  zerotir eval --endpoint http://localhost:8000/v1 --endpoint-model Qwen/Qwen2.5-7B aime25.jsonl --num-generations 32

With --output-dir a call that was killed goes on where it stopped when it is given again.
avg@K is the share of right answers, pass@k the unbiased estimate of one right among k, maj@K the most frequent answer.`;

/** `zerotir eval`: models over benchmarks. */
export function evalCommand({ io, runners, overrides, finish }: CommandContext): Command {
  const about = "models over benchmarks: avg@K, pass@k, maj@K, code ratio";
  const command = new Command("eval")
    .summary(about)
    .description(about)
    .argument("[benchmarks...]", "benchmarks, as with --dataset");
  return addOptions(command, evalOptions)
    .addHelpText("after", EXAMPLES)
    .action(async (benchmarks: readonly string[], flags: CommonFlags & { readonly dataset?: string }) => {
      const layers = await layersOf(evalOptions, { ...flags }, overrides);
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
      if (options.bench !== null) return finish(await evalBench(options, json, io, runners));
      const screen = new Screen(io.stderr);
      screen.setStatus("  opening models and benchmarks");
      let last = "";
      const report = await runners.eval(options, {
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
      finish(report.finished ? 0 : 1);
    });
}
