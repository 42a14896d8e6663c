import { createInterface } from "node:readline";
import { observationText } from "../../sandbox/observation";
import type { CliCommand } from "../command";
import { jsonLine } from "../io";
import { Style } from "../render/style";
import { plainText } from "../render/text";
import { verdictOf } from "../render/tool";
import { addEngineOptions, type EngineFlags, toolRequest } from "./tool-options";

const WELCOME =
  "Each block runs in a fresh interpreter: nothing is kept from one to the next. An empty line runs the block, Ctrl-D ends.";

/** `zerotir tool repl`: blocks typed one after the other: results on standard output, all else on standard error. */
export const repl: CliCommand = {
  summary: "runs typed blocks of Python, each in a fresh interpreter",
  examples: "  zerotir tool repl\n  zerotir tool repl --timeout 2 --json < blocks.txt",
  build(command, { io, finish }) {
    addEngineOptions(command)
      .option("--json", "one JSON object per block on standard output, all else on standard error")
      .action(async (flags: EngineFlags & { readonly json?: boolean }) => {
        const { repl } = await import("../../run/tool");
        const style = new Style(io.stderr, io.env);
        await repl(createInterface({ input: process.stdin }), toolRequest(flags), {
          onOpen: () => io.stderr.write(`${WELCOME}\n`),
          onPrompt: (isFirst) => io.stderr.write(isFirst ? ">>> " : "... "),
          onResult(result) {
            const { status, stdout, stderr, ms, truncated } = result;
            if (flags.json === true) {
              jsonLine(io.stdout, { status, stdout, stderr, ms, truncated });
              return;
            }
            const text = plainText(observationText(result)).trimEnd();
            if (text !== "") io.stdout.write(`${text}\n`);
            io.stderr.write(`${style.paint(status === "ok" ? "green" : "red", verdictOf(result))}\n`);
          },
        });
        io.stderr.write("\n");
        finish(0);
      });
  },
};
