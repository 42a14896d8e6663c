import { writeFile } from "node:fs/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { UserError } from "../../base/errors";
import { type DagSplit, MOST_OPERATIONS, type OperationRange } from "../../tasks/dag/problem";
import { type DagRow, type DagShares, dagRow, parseRange } from "../../tasks/dag/rows";
import { dagKinds } from "../../tasks/dag/solution";
import { jsonLine } from "../io";
import { plainText } from "../render/text";
import type { CommandContext } from "./context";
import { count } from "./count";
import { jsonOption } from "./device-options";

const EXAMPLES = `
Examples:
  zerotir data dag --count 5 --operations 3
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
export function dagCommand({ io, finish }: CommandContext): Command {
  const about = "makes problems on graphs of quantities, with solutions to learn before RL";
  return new Command("dag")
    .summary(about)
    .description(about)
    .addOption(new Option("--count <n>", "rows").argParser(count(1, MOST_ROWS)).default(1000))
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
    .addOption(new Option("--seed <n>", "seed of problems and solutions").argParser(count(0)).default(1))
    .option("--output <file>", "JSONL file to write; none: rows go to standard output")
    .addOption(jsonOption("with --output, one JSON object"))
    .addHelpText("after", EXAMPLES)
    .action(async ({ count: rowCount, operations, augment, datasetSplit, seed, output, json }: Flags) => {
      const rows = Array.from({ length: rowCount }, (_, index) =>
        dagRow(seed, index, operations, datasetSplit, augment),
      );
      if (output === undefined) for (const row of rows) jsonLine(io.stdout, row);
      else {
        await write(output, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
        const report = { event: "data_dag", output, ...summary(rows) };
        if (json === true) jsonLine(io.stdout, report);
        else {
          const kinds = dagKinds.map((kind) => `${report.kinds[kind]} ${kind}`).join(", ");
          io.stdout.write(
            `${plainText(output)}: ${rowCount} rows (${kinds}); a prompt has ${report.promptCharacters.toFixed(1)} characters, ` +
              `a completion ${report.completionCharacters.toFixed(1)}, the longest row ${report.longestRow}\n`,
          );
        }
      }
      finish(0);
    });
}

/** What a file holds. Lengths are in characters, which are tokens for the shipped model, but for those of its frame and of `\boxed{`. */
function summary(rows: readonly DagRow[]) {
  const mean = (of: (row: DagRow) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const number = (wanted: DagRow["kind"]) => rows.filter(({ kind }) => kind === wanted).length;
  return {
    rows: rows.length,
    kinds: { plain: number("plain"), exploration: number("exploration"), exploitation: number("exploitation") },
    promptCharacters: mean(({ prompt }) => prompt.length),
    completionCharacters: mean(({ completion }) => completion.length),
    longestRow: rows.reduce((most, { prompt, completion }) => Math.max(most, prompt.length + completion.length), 0),
  };
}

async function write(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    throw new UserError(`--output ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

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
