import { Option } from "commander";
import { UserError } from "../../base/errors";
import type { CliCommand } from "../command";
import { number, wholeNumber } from "../flags";
import { jsonLine } from "../io";
import { plainText } from "../render/text";

interface ViewFlags {
  readonly output?: string;
  readonly port?: number;
  readonly open?: boolean;
  readonly rolloutsPerStep: number;
  readonly maxSize: number;
  readonly json?: boolean;
}

const EXAMPLES = `  zerotir view runs/seven                             a page that follows the run, until Ctrl-C
  zerotir view runs/seven --port 8080 --open
  zerotir view runs/seven --output report.html        one file to keep or to send, which needs no server
  zerotir view runs/seven --output all.html --rollouts-per-step 128 --max-size 200

train writes report.html into the run folder at its end; --no-html-report leaves it out.`;

/** `zerotir view`: a run as a page, live or as a file. */
export const command: CliCommand = {
  summary: "a run as a page: curves, statistics, rollouts token by token",
  examples: EXAMPLES,
  isGraceful: true,
  build(command, { io, finish }) {
    command
      .argument("<run>", "run folder")
      .option("--output <file>", "write one self-contained file and stop, instead of serving")
      .addOption(new Option("--port <n>", "port on 127.0.0.1 (default: a free one)").argParser(wholeNumber(1, 65_535)))
      .option("--open", "open the page in the browser")
      .addOption(
        new Option("--rollouts-per-step <n>", "most rollouts of a step, in whole groups; 0 for none")
          .argParser(wholeNumber(0, 100_000))
          .default(16),
      )
      .addOption(
        new Option("--max-size <mb>", "most of the file in MB; rollouts of some steps are left out to fit")
          .argParser(number(1, 500))
          .default(32),
      )
      .option("--json", "one JSON object on standard output, all else on standard error")
      .action(async (runFolder: string, flags: ViewFlags) => {
        const { output = null, port = 0, open = false, rolloutsPerStep, maxSize: maxSizeMb, json = false } = flags;
        if (output !== null && (flags.port !== undefined || open))
          throw new UserError(
            "view: --output writes a file and serves nothing; leave off --port and --open, or --output",
          );
        const { view } = await import("../../run/view/view");
        const end = await view(
          { runFolder, output, port, open, rolloutsPerStep, maxSizeMb },
          {
            signal: io.signal,
            onServing: (address) => {
              if (json) jsonLine(io.stdout, { event: "serving", address });
              else
                io.stdout.write(
                  `${plainText(runFolder)} is at ${address}\nCtrl-C stops the page; a run goes on without it.\n`,
                );
            },
          },
        );
        if (json) jsonLine(io.stdout, end);
        else if (end.event === "report") {
          const size = (end.bytes / 1e6).toFixed(2);
          io.stdout.write(
            `${plainText(end.path)}: ${size} MB, ${end.rollouts} rollouts of ${end.rolloutSteps} steps\n`,
          );
        }
        finish(0);
      });
  },
};
