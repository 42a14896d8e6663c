import { Command, Option } from "commander";
import { type DatasetRequest, datasetRequest } from "../../data/dataset";
import { countRepeats, DEFAULT_NGRAM_WORDS, findOverlap } from "../../data/overlap";
import { datasets } from "../../data/registry";
import { type CliIo, jsonLine } from "../io";
import { checkLines, type DataCheck, listLines, rowLines } from "../render/data";
import { Screen } from "../render/screen";
import { Style } from "../render/style";
import type { Runners } from "../runners";
import type { CommandContext } from "./context";
import { count } from "./count";
import { dagCommand } from "./data-dag";

const LIST_EXAMPLES = `
Examples:
  zerotir data list
  zerotir data list --json

Data files are looked for in the folder of ZEROTIR_DATA, then in the cache (ZEROTIR_CACHE, XDG_CACHE_HOME/zerotir or
~/.cache/zerotir), and fetched from the hub (HF_ENDPOINT, HF_TOKEN) when a command needs them.`;

const SHOW_EXAMPLES = `
Examples:
  zerotir data show gsm8k --rows 3
  zerotir data show gsm8k:test --json
  zerotir data show my-data.parquet --dataset-prompt-column task.text --dataset-answer-column gold`;

const CHECK_EXAMPLES = `
Examples:
  zerotir data check --train dapo-17k --eval math500,amc23
  zerotir data check --train gsm8k:train --eval gsm8k:test,my-eval.jsonl --json
  zerotir data check --train math --eval math500 --ngram-words 0     equal problems only

Exit codes: 0 nothing in common, 1 contaminated, 2 a mistake in options or input.`;

interface Common {
  readonly json?: boolean;
  readonly offline?: boolean;
}

interface Columns extends Common {
  readonly datasetPromptColumn?: string;
  readonly datasetAnswerColumn?: string;
}

const jsonOption = (what: string) => new Option("--json", `${what} on standard output, all else on standard error`);
const offlineOption = () => new Option("--offline", "never fetch a data set");
const columnOptions = () => [
  new Option("--dataset-prompt-column <text>", "column of the question; none: found by the usual names"),
  new Option("--dataset-answer-column <text>", "column of the right answer; none: found by the usual names"),
];

/** `zerotir data`: which data sets there are, what is in them, and what they share. */
export function dataCommand(context: CommandContext): Command {
  const about = "data sets: list, show, check for contamination, make";
  const command = new Command("data").summary(about).description(about);
  for (const make of [listCommand, showCommand, checkCommand, dagCommand]) command.addCommand(make(context));
  return command;
}

function listCommand({ io, runners, finish }: CommandContext): Command {
  const about = "data sets by name, and where each is";
  return new Command("list")
    .summary(about)
    .description(about)
    .addOption(jsonOption("one JSON line for each data set"))
    .addHelpText("after", LIST_EXAMPLES)
    .action(async ({ json }: Common) => {
      const places = await runners.locateDatasets();
      const rows = datasets.map(({ name, kind, licence, about, promptTemplate }) => ({
        name,
        kind,
        licence,
        about,
        promptTemplate,
        splits: places.filter((place) => place.name === name).map(({ split, kind, files }) => ({ split, kind, files })),
      }));
      if (json === true) for (const row of rows) jsonLine(io.stdout, row);
      else io.stdout.write(`${listLines(rows, new Style(io.stdout, io.env)).join("\n")}\n`);
      finish(0);
    });
}

function showCommand({ io, runners, finish }: CommandContext): Command {
  const about = "rows of a data set as a run sees them";
  const command = new Command("show")
    .summary(about)
    .description(about)
    .argument("<dataset>", "name, name:split, file or folder")
    .addOption(new Option("--rows <n>", "rows from the start").argParser(count(1)).default(3))
    .option("--dataset-split <text>", "split, such as train or test");
  for (const option of [...columnOptions(), offlineOption(), jsonOption("one JSON line for each row")])
    command.addOption(option);
  return command
    .addHelpText("after", SHOW_EXAMPLES)
    .action(async (name: string, flags: Columns & { rows: number; datasetSplit?: string }) => {
      const request = datasetRequest(name, "train", { ...columns(flags), split: flags.datasetSplit ?? null });
      const dataset = await open(request, runners, io);
      const shown = dataset.rows.slice(0, flags.rows);
      if (flags.json === true) for (const row of shown) jsonLine(io.stdout, row);
      else {
        const style = new Style(io.stdout, io.env);
        const from = dataset.files.length > 1 ? `${dataset.files.length} files` : dataset.files.join("");
        const split = dataset.split === null ? "" : `, split ${dataset.split}`;
        io.stdout.write(
          `${rowLines(`${dataset.name}${split}: ${dataset.rows.length} rows of ${from}`, shown, style).join("\n")}\n`,
        );
      }
      finish(0);
    });
}

function checkCommand({ io, runners, finish }: CommandContext): Command {
  const about = "problems that a training set shares with evaluation sets";
  const command = new Command("check")
    .summary(about)
    .description(about)
    .requiredOption("--train <dataset>", "name, name:split, file or folder")
    .requiredOption("--eval <datasets>", "the same, several with commas between")
    .addOption(
      new Option("--ngram-words <n>", "words in a row that make two problems overlap; 0: equal problems only")
        .argParser(count(0))
        .default(DEFAULT_NGRAM_WORDS),
    );
  for (const option of [...columnOptions(), offlineOption(), jsonOption("one JSON object")]) command.addOption(option);
  return command
    .addHelpText("after", CHECK_EXAMPLES)
    .action(async (flags: Columns & { train: string; eval: string; ngramWords: number }) => {
      const problems = async (name: string, role: "train" | "eval") =>
        (await open(datasetRequest(name, role, columns(flags)), runners, io)).rows.map(({ prompt }) => prompt);
      const train = await problems(flags.train, "train");
      const names = flags.eval.split(",").map((name) => name.trim());
      const evaluations: DataCheck["evaluations"][number][] = [];
      for (const name of names.filter((name) => name !== ""))
        evaluations.push({ name, ...findOverlap(train, await problems(name, "eval"), flags.ngramWords) });
      const contaminated = evaluations.some(({ equal, partial }) => equal + partial > 0);
      const check: DataCheck = {
        train: flags.train,
        rows: train.length,
        repeated: countRepeats(train),
        ngramWords: flags.ngramWords,
        contaminated,
        evaluations,
      };
      if (flags.json === true) jsonLine(io.stdout, { event: "data_check", ...check });
      else io.stdout.write(`${checkLines(check, new Style(io.stdout, io.env)).join("\n")}\n`);
      finish(contaminated ? 1 : 0);
    });
}

/** Opens a data set; a download shows its progress on standard error. */
async function open(request: DatasetRequest, runners: Runners, io: CliIo) {
  const screen = new Screen(io.stderr);
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  try {
    return await runners.openDataset(
      request,
      (file, done, total) =>
        screen.setStatus(
          `  fetching ${file}: ${megabytes(done)}${total === undefined ? "" : ` of ${megabytes(total)}`} MB`,
        ),
      io.signal,
    );
  } finally {
    screen.setStatus();
  }
}

function columns({ datasetPromptColumn, datasetAnswerColumn, offline }: Columns): Partial<DatasetRequest> {
  return {
    promptColumn: datasetPromptColumn ?? null,
    answerColumn: datasetAnswerColumn ?? null,
    offline: offline === true,
  };
}
