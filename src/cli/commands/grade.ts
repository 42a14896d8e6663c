import { readFile, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Command, InvalidArgumentError, Option } from "commander";
import { UserError } from "../../base/errors";
import { type GradingProfile, gradingProfiles, type Verdict, verifyAnswer } from "../../reward/verify";
import { type CliIo, jsonLine } from "../io";
import { plainText } from "../render/text";
import type { CommandContext } from "./context";
import { type GradeCase, readGradeCases } from "./grade-cases";

interface GradeFlags {
  readonly in?: string;
  readonly out?: string;
  readonly prediction?: string;
  readonly gold?: string;
  readonly profile: GradingProfile;
  readonly roundedPlaces?: number;
  readonly json?: boolean;
}

interface Graded extends Verdict {
  readonly row: GradeCase;
}

const EXAMPLES = `
Examples:
  zerotir grade --prediction "so it is \\boxed{\\frac{2}{4}}" --gold "1/2"
  zerotir grade --in cases.jsonl --json > verdicts.jsonl
  zerotir grade --in cases.jsonl --profile qwen --out verdicts.jsonl

A row is {id, prediction, gold}; a prediction is a whole response or a bare answer, gold one answer or a list. Where rows have a verdict of
their own, the table says how many agree. Profiles are described in docs/grading.md.`;

/** `zerotir grade`: verdicts on answers. */
export function gradeCommand({ io }: CommandContext): Command {
  const about = "judges answers against gold answers";
  return new Command("grade")
    .summary(about)
    .description(about)
    .option("--in <file>", "JSON lines of {id, prediction, gold}, or - for standard input")
    .option("--prediction <text>", "one response or answer, with --gold")
    .option("--gold <text>", "the right answer to --prediction")
    .addOption(
      new Option("--profile <name>", "how answers are read and compared").choices(gradingProfiles).default("math"),
    )
    .addOption(
      new Option(
        "--rounded-places <n>",
        "decimals with so many places may be roundings of an exact answer (default: the profile's)",
      ).argParser(places),
    )
    .option("--out <file>", "writes the verdicts there, as JSON lines")
    .option("--json", "verdicts as JSON lines {id, verdict, extracted}, in the order of the rows")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: GradeFlags) => {
      const rows = await rowsOf(flags);
      const options = {
        profile: flags.profile,
        ...(flags.roundedPlaces !== undefined && { roundedPlaces: flags.roundedPlaces }),
      };
      const graded = rows.map((row): Graded => ({ row, ...verifyAnswer(row.prediction, row.gold, options) }));
      const lines = graded.map(({ row, verdict, extracted }) => ({ id: row.id, verdict, extracted }));
      if (flags.out !== undefined) await write(flags.out, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      if (flags.json === true) for (const line of lines) jsonLine(io.stdout, line);
      else if (flags.in === undefined) one(graded[0] as Graded, io);
      else table(graded, io);
    });
}

async function rowsOf(flags: GradeFlags): Promise<GradeCase[]> {
  const { prediction, gold } = flags;
  const isPair = prediction !== undefined || gold !== undefined;
  if (isPair === (flags.in !== undefined))
    throw new UserError("grade needs either --in cases.jsonl, or --prediction and --gold");
  if (flags.in !== undefined) return readGradeCases(await textOf(flags.in), flags.in);
  if (prediction === undefined || gold === undefined)
    throw new UserError(
      `grade needs --prediction and --gold together; --${prediction === undefined ? "prediction" : "gold"} is missing`,
    );
  return [{ id: 1, prediction, gold }];
}

async function textOf(file: string): Promise<string> {
  if (file === "-") return text(process.stdin);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UserError(`--in ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

async function write(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    throw new UserError(`--out ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

function places(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || !Number.isInteger(number) || number < 0 || number > 1000)
    throw new InvalidArgumentError("it must be a whole number from 0 to 1000.");
  return number;
}

function one({ row, verdict, extracted }: Graded, io: CliIo): void {
  const answer = extracted === null ? "no answer found" : plainText(extracted);
  io.stdout.write(`${verdict ? "right" : "wrong"}: ${answer} (gold ${plainText(String(row.gold))})\n`);
}

const MOST_ROWS = 20;

/** The first wrong rows, and totals; where rows have a verdict, the first on which we differ. */
function table(graded: readonly Graded[], io: CliIo): void {
  const judged = graded.filter(({ row }) => row.verdict !== undefined);
  const shown =
    judged.length > 0
      ? judged.filter(({ row, verdict }) => row.verdict !== verdict)
      : graded.filter(({ verdict }) => !verdict);
  const width = Math.floor((Math.min(io.stdout.columns(), 120) - 30) / 2);
  const cell = (content: string) => {
    const line = plainText(content).replaceAll("\n", " ");
    return (line.length > width ? `${line.slice(0, width - 1)}…` : line).padEnd(width);
  };
  if (shown.length > 0) io.stdout.write(`${"id".padEnd(20)} verdict ${cell("extracted")} ${cell("gold")}\n`);
  for (const { row, verdict, extracted } of shown.slice(0, MOST_ROWS))
    io.stdout.write(
      `${plainText(String(row.id)).slice(0, 20).padEnd(20)} ${verdict ? "right  " : "wrong  "} ${cell(extracted ?? "(none)")} ${cell(String(row.gold))}\n`.replace(
        / +\n$/,
        "\n",
      ),
    );
  if (shown.length > MOST_ROWS) io.stdout.write(`... and ${shown.length - MOST_ROWS} more\n`);
  const right = graded.filter(({ verdict }) => verdict).length;
  const none = graded.filter(({ extracted }) => extracted === null).length;
  io.stdout.write(
    `${graded.length} rows: ${right} right, ${graded.length - right} wrong, ${none} of them without an answer\n`,
  );
  if (judged.length > 0)
    io.stdout.write(
      `${judged.length - shown.length} of ${judged.length} agree with the verdict in the file (${((100 * (judged.length - shown.length)) / judged.length).toFixed(2)}%)\n`,
    );
}
