import { Option } from "commander";
import { UserError } from "../../base/errors";
import { must } from "../../base/must";
import { type GradingProfile, gradingProfiles } from "../../reward/profiles";
import type { CliCommand } from "../command";
import { wholeNumber } from "../flags";
import { jsonLine } from "../io";
import { verdictTable, verdictText } from "../render/grade";

interface Flags {
  readonly in?: string;
  readonly out?: string;
  readonly prediction?: string;
  readonly gold?: string;
  readonly profile: GradingProfile;
  readonly roundedPlaces?: number;
  readonly json?: boolean;
}

const EXAMPLES = `  zerotir grade --prediction "so it is \\boxed{\\frac{2}{4}}" --gold "1/2"
  zerotir grade --in cases.jsonl --json > verdicts.jsonl
  zerotir grade --in cases.jsonl --profile qwen --out verdicts.jsonl

A row is {id, prediction, gold}; a prediction is a whole response or a bare answer, gold one answer or a list. Where rows have a verdict of
their own, the table says how many agree. Profiles are described in docs/grading.md.`;

/** `zerotir grade`: verdicts on answers. */
export const command: CliCommand = {
  summary: "judges answers against gold answers",
  examples: EXAMPLES,
  build(command, { io }) {
    command
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
        ).argParser(wholeNumber(0, 1000)),
      )
      .option("--out <file>", "writes the verdicts there, as JSON lines")
      .option("--json", "verdicts as JSON lines {id, verdict, extracted}, in the order of the rows")
      .action(async (flags: Flags) => {
        const { profile, roundedPlaces, out, in: file, json = false } = flags;
        const pair = pairOf(flags);
        const { grade, readGradeCases, verdictLine, writeVerdicts } = await import("../../run/grade");
        const rows = pair === undefined ? await readGradeCases(must(file, "--in")) : [{ id: 1, ...pair }];
        const graded = grade(rows, { profile, ...(roundedPlaces !== undefined && { roundedPlaces }) });
        if (out !== undefined) await writeVerdicts(out, graded);
        if (json) for (const each of graded) jsonLine(io.stdout, verdictLine(each));
        else if (pair !== undefined) for (const each of graded) io.stdout.write(`${verdictText(each)}\n`);
        else
          io.stdout.write(
            verdictTable(graded, io.stdout.columns())
              .map((line) => `${line}\n`)
              .join(""),
          );
      });
  },
};

/**
 * The one answer to be judged, and what is right; undefined when a file has them.
 *
 * @throws UserError for one without the other
 */
function pairOf({ in: file, prediction, gold }: Flags): { prediction: string; gold: string } | undefined {
  const isPair = prediction !== undefined || gold !== undefined;
  if (isPair === (file !== undefined))
    throw new UserError("grade needs either --in cases.jsonl, or --prediction and --gold");
  if (!isPair) return undefined;
  if (prediction === undefined || gold === undefined)
    throw new UserError(
      `grade needs --prediction and --gold together; --${prediction === undefined ? "prediction" : "gold"} is missing`,
    );
  return { prediction, gold };
}
