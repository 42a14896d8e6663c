import { InvalidArgumentError, Option } from "commander";
import { type DagSplit, MOST_OPERATIONS, type OperationRange } from "../../tasks/dag/problem";
import { type DagShares, parseRange } from "../../tasks/dag/rows";
import type { CliCommand } from "../command";
import { jsonOption, wholeNumber } from "../flags";
import { jsonLine } from "../io";
import { plainText } from "../render/text";

const EXAMPLES = `  zerotir data dag --count 5 --operations 3
  zerotir data dag --count 20000 --operations 2-4 --output plain.jsonl
  zerotir data dag --count 20000 --operations 2-4 --augment exploration:0.3,exploitation:0.3 --output augmented.jsonl
  zerotir sft --model-name-or-path nano-base --prompt-template nano --dataset augmented.jsonl --max-length 160

Rows are {prompt, completion, answer, operations, kind}, for sft and for RL. Two files that differ in --augment alone have the same problems.
exploration: attempts at quantities whose parents are not known yet, given up for what is missing. exploitation: all known names before each step.
The same problems without solutions and without end are the data set dag (dag-1-3 for 1 to 3 operations) of train and eval: docs/training-before-rl.md.`;

interface Flags {
  readonly count: number;
  readonly operations: OperationRange;
  readonly augment: DagShares;
  readonly datasetSplit: DagSplit;
  readonly seed: number;
  readonly output?: string;
  readonly json?: boolean;
}

/** They are made in memory. */
const MOST_ROWS = 1_000_000;
const PLAIN: DagShares = { exploration: 0, exploitation: 0 };

/** `zerotir data dag`: problems on graphs of quantities, with solutions. */
export const dag: CliCommand = {
  summary: "makes problems on graphs of quantities, with solutions to learn before RL",
  examples: EXAMPLES,
  build(command, { io, finish }) {
    command
      .addOption(new Option("--count <n>", "rows").argParser(wholeNumber(1, MOST_ROWS)).default(1000))
      .addOption(
        new Option("--operations <range>", `operations of a problem, 1 to ${MOST_OPERATIONS}: how difficult it is`)
          .argParser(range)
          .default({ least: 2, most: 4 }, "2-4"),
      )
      .addOption(
        new Option("--augment <shares>", "exploration:0.3,exploitation:0.3; the rest is plain")
          .argParser(shares)
          .default(PLAIN, "none"),
      )
      .addOption(
        new Option("--dataset-split <text>", "train, or eval: problems that are in no training data")
          .choices(["train", "eval"])
          .default("train"),
      )
      .addOption(new Option("--seed <n>", "seed of problems and solutions").argParser(wholeNumber(0)).default(1))
      .option("--output <file>", "JSONL file to write; none: rows go to standard output")
      .addOption(jsonOption("with --output, one JSON object"))
      .action(async ({ augment: shares, datasetSplit: split, output, json, ...rest }: Flags) => {
        const { makeDagRows, writeDagRows } = await import("../../run/data-dag");
        const rows = makeDagRows({ ...rest, shares, split });
        if (output === undefined) for (const row of rows) jsonLine(io.stdout, row);
        else {
          const report = await writeDagRows(output, rows);
          if (json === true) jsonLine(io.stdout, { event: "data_dag", ...report });
          else {
            const kinds = Object.entries(report.kinds).map(([kind, number]) => `${number} ${kind}`);
            io.stdout.write(
              `${plainText(output)}: ${report.rows} rows (${kinds.join(", ")}); ` +
                `a prompt has ${report.promptCharacters.toFixed(1)} characters, ` +
                `a completion ${report.completionCharacters.toFixed(1)}, the longest row ${report.longestRow}\n`,
            );
          }
        }
        finish(0);
      });
  },
};

function range(text: string): OperationRange {
  const found = parseRange(text);
  if (found === undefined)
    throw new InvalidArgumentError(`Expected 3 or 2-4, with whole numbers from 1 to ${MOST_OPERATIONS}.`);
  return found;
}

function shares(text: string): DagShares {
  const given: { exploration: number; exploitation: number } = { ...PLAIN };
  for (const part of text.split(",")) {
    const [kind, share = "", ...rest] = part.trim().split(":");
    const value = Number(share);
    if ((kind !== "exploration" && kind !== "exploitation") || rest.length > 0 || share.trim() === "" || !(value >= 0))
      throw new InvalidArgumentError("Expected exploration:0.3,exploitation:0.3, or one of the two.");
    given[kind] = value;
  }
  if (given.exploration + given.exploitation > 1)
    throw new InvalidArgumentError("The shares are more than 1 together.");
  return given;
}
