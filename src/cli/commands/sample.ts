import { sampleOptions } from "../../options/evaluate";
import type { CliCommand } from "../command";
import { jsonLine } from "../io";
import { type CommonFlags, layersOf, printResolved } from "../options";
import { Screen } from "../render/screen";
import { Style } from "../render/style";
import { plainText } from "../render/text";
import { transcriptLines } from "../render/transcript";

const EXAMPLES = `  zerotir sample --preset nano "47*86+5"
  zerotir sample --preset nano --model-name-or-path runs/seven --num-generations 4 "(31-7)*8"
  zerotir sample --model models/Qwen2.5-0.5B --prompt-template zero-tir --tools python "What is the 20th prime?"
  zerotir sample --model models/stories260K --prompt "Once upon a time" --temperature 0 --max-completion-length 64 --json
  zerotir sample --model models/stories260K --prompt-ids '[1]' --temperature 0 --json`;

/** `zerotir sample`: a model's answers to questions, tool calls included. */
export const command: CliCommand = {
  summary: "answers to questions, with the Python they run",
  examples: EXAMPLES,
  options: sampleOptions,
  isGraceful: true,
  build(command, context) {
    const { io, finish } = context;
    command
      .argument("[questions...]", "questions, as with --prompt")
      .action(async (questions: readonly string[], flags: CommonFlags & { readonly prompt?: readonly string[] }) => {
        const prompt = [...(flags.prompt ?? []), ...questions];
        const given = { ...flags, ...(prompt.length > 0 && { prompt }) };
        const options = sampleOptions.resolve(await layersOf(sampleOptions, given, context));
        const json = flags.json === true;
        if (flags.dryRun === true) {
          printResolved(sampleOptions, options, json, io);
          return finish(0);
        }
        const { sample } = await import("../../run/sample");
        const style = new Style(io.stdout, io.env);
        const screen = new Screen(io.stderr);
        let streamed = false;
        screen.setStatus("  opening the model");
        await sample(options, {
          signal: io.signal,
          announce: (line) => screen.print(line),
          onProgress: (done, total) => screen.setStatus(`  ${done} of ${total} trajectories`),
          ...(!json && io.stdout.isTerminal
            ? {
                onText: (piece: string) => {
                  screen.setStatus();
                  io.stdout.write(plainText(piece));
                  streamed = true;
                },
              }
            : {}),
          onSample: (answer) => {
            screen.setStatus();
            if (streamed) io.stdout.write("\n\n");
            if (json) jsonLine(io.stdout, { event: "sample", ...answer });
            else io.stdout.write(`${transcriptLines(answer, style, io.stdout.columns()).join("\n")}\n`);
          },
        });
        finish(io.signal.aborted ? 1 : 0);
      });
  },
};
