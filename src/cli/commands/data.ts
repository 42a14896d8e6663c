import { type Command, Option } from "commander";
import type { DatasetRequest } from "../../data/dataset";
import { DEFAULT_NGRAM_WORDS } from "../../data/overlap";
import type { DataAccess } from "../../run/data";
import type { CliCommand } from "../command";
import { jsonOption, wholeNumber } from "../flags";
import { type CliIo, jsonLine } from "../io";
import { checkLines, listLines, rowLines } from "../render/data";
import { Screen } from "../render/screen";
import { Style } from "../render/style";
import { dag } from "./data-dag";

const LIST_EXAMPLES = `  zerotir data list
  zerotir data list --json

Data files are looked for in the folder of ZEROTIR_DATA, then in the cache (ZEROTIR_CACHE, XDG_CACHE_HOME/zerotir or
~/.cache/zerotir), and fetched from the hub (HF_ENDPOINT, HF_TOKEN) when a command needs them.`;

const SHOW_EXAMPLES = `  zerotir data show gsm8k --rows 3
  zerotir data show gsm8k:test --json
  zerotir data show my-data.parquet --dataset-prompt-column task.text --dataset-answer-column gold`;

const CHECK_EXAMPLES = `  zerotir data check --train dapo-17k --eval math500,amc23
  zerotir data check --train gsm8k:train --eval gsm8k:test,my-eval.jsonl --json
  zerotir data check --train math --eval math500 --ngram-words 0     equal problems only

Exit codes: 0 nothing in common, 1 contaminated, 2 a mistake in options or input.`;

interface AccessFlags {
  readonly datasetPromptColumn?: string;
  readonly datasetAnswerColumn?: string;
  readonly offline?: boolean;
  readonly json?: boolean;
}

const list: CliCommand = {
  summary: "data sets by name, and where each is",
  examples: LIST_EXAMPLES,
  build(command, { io, finish }) {
    command.addOption(jsonOption("one JSON line for each data set")).action(async ({ json }: { json?: boolean }) => {
      const { listDatasets } = await import("../../run/data");
      const rows = listDatasets(io.env);
      if (json === true) for (const row of rows) jsonLine(io.stdout, row);
      else io.stdout.write(`${listLines(rows, new Style(io.stdout, io.env)).join("\n")}\n`);
      finish(0);
    });
  },
};

const show: CliCommand = {
  summary: "rows of a data set as a run sees them",
  examples: SHOW_EXAMPLES,
  build(command, { io, finish }) {
    command
      .argument("<dataset>", "name, name:split, file or folder")
      .addOption(new Option("--rows <n>", "rows from the start").argParser(wholeNumber(1)).default(3))
      .option("--dataset-split <text>", "split, such as train or test");
    addAccessOptions(command, "one JSON line for each row").action(
      async (name: string, flags: AccessFlags & { rows: number; datasetSplit?: string }) => {
        const { readDataset } = await import("../../run/data");
        const choice = { ...columnsOf(flags), split: flags.datasetSplit ?? null };
        const dataset = await withAccess(io, (access) => readDataset(name, "train", choice, access));
        const shown = dataset.rows.slice(0, flags.rows);
        if (flags.json === true) for (const row of shown) jsonLine(io.stdout, row);
        else {
          const from = dataset.files.length > 1 ? `${dataset.files.length} files` : dataset.files.join("");
          const split = dataset.split === null ? "" : `, split ${dataset.split}`;
          const title = `${dataset.name}${split}: ${dataset.rows.length} rows of ${from}`;
          io.stdout.write(`${rowLines(title, shown, new Style(io.stdout, io.env)).join("\n")}\n`);
        }
        finish(0);
      },
    );
  },
};

const check: CliCommand = {
  summary: "problems that a training set shares with evaluation sets",
  examples: CHECK_EXAMPLES,
  build(command, { io, finish }) {
    command
      .requiredOption("--train <dataset>", "name, name:split, file or folder")
      .requiredOption("--eval <datasets>", "the same, several with commas between")
      .addOption(
        new Option("--ngram-words <n>", "words in a row that make two problems overlap; 0: equal problems only")
          .argParser(wholeNumber(0))
          .default(DEFAULT_NGRAM_WORDS),
      );
    addAccessOptions(command, "one JSON object").action(
      async (flags: AccessFlags & { train: string; eval: string; ngramWords: number }) => {
        const { checkData } = await import("../../run/data");
        const evaluation = flags.eval
          .split(",")
          .map((name) => name.trim())
          .filter((name) => name !== "");
        const found = await withAccess(io, (access) =>
          checkData({ train: flags.train, evaluation, choice: columnsOf(flags), ngramWords: flags.ngramWords }, access),
        );
        if (flags.json === true) jsonLine(io.stdout, { event: "data_check", ...found });
        else io.stdout.write(`${checkLines(found, new Style(io.stdout, io.env)).join("\n")}\n`);
        finish(found.contaminated ? 1 : 0);
      },
    );
  },
};

/** `zerotir data`: which data sets there are, what is in them, and what they share. */
export const command: CliCommand = {
  summary: "data sets: list, show, check for contamination, make",
  commands: { list, show, check, dag },
};

function addAccessOptions(command: Command, json: string): Command {
  return command
    .option("--dataset-prompt-column <text>", "column of the question; none: found by the usual names")
    .option("--dataset-answer-column <text>", "column of the right answer; none: found by the usual names")
    .option("--offline", "never fetch a data set")
    .addOption(jsonOption(json));
}

function columnsOf({ datasetPromptColumn, datasetAnswerColumn, offline }: AccessFlags): Partial<DatasetRequest> {
  return {
    promptColumn: datasetPromptColumn ?? null,
    answerColumn: datasetAnswerColumn ?? null,
    offline: offline === true,
  };
}

/** A download shows its progress on standard error. */
async function withAccess<Result>(io: CliIo, work: (access: DataAccess) => Promise<Result>): Promise<Result> {
  const screen = new Screen(io.stderr);
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const onProgress: DataAccess["onProgress"] = (file, done, total) =>
    screen.setStatus(
      `  fetching ${file}: ${megabytes(done)}${total === undefined ? "" : ` of ${megabytes(total)}`} MB`,
    );
  try {
    return await work({ env: io.env, signal: io.signal, onProgress });
  } finally {
    screen.setStatus();
  }
}
