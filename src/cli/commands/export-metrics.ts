import { Option } from "commander";
import { UserError } from "../../base/errors";
import { shellWord } from "../../base/text";
import type { MlflowReport } from "../../run/tracking/mlflow";
import type { CliCommand } from "../command";
import { jsonOption, wholeNumber } from "../flags";
import { type CliIo, jsonLine } from "../io";
import { plainText } from "../render/text";

const WANDB_EXAMPLES = `  zerotir export-metrics wandb runs/seven --output seven-wandb
  python3 seven-wandb/upload.py --project arithmetic     where the package wandb and a login are

The folder can go to another machine: upload.py needs nothing but its neighbours and the package wandb. metrics.jsonl there has one row per step with the
held-out figures in it, config.json the options, rollouts.jsonl the first rollouts of the last step, shown as a table. Passwords in addresses are left out.
A later export of the same run adds the new steps.`;

const wandb: CliCommand = {
  summary: "a folder with a small Python program that uploads the run to Weights & Biases",
  examples: WANDB_EXAMPLES,
  build(command, { io, finish }) {
    command
      .argument("<run>", "run folder")
      .requiredOption("--output <folder>", "new folder to write")
      .addOption(
        new Option("--rollouts <n>", "most rollouts of the last step for the table; 0 for none")
          .argParser(wholeNumber(0, 100_000))
          .default(64),
      )
      .addOption(jsonOption("one JSON object"))
      .action(async (runFolder: string, flags: { output: string; rollouts: number; json?: boolean }) => {
        const { output, rollouts, json = false } = flags;
        const { exportToWandb } = await import("../../run/tracking/wandb");
        const report = await exportToWandb({ runFolder, output, rollouts });
        if (json) jsonLine(io.stdout, { event: "export-metrics", to: "wandb", ...report });
        else
          io.stdout.write(
            `${plainText(output)}: ${report.steps} steps and ${report.rollouts} rollouts of ${plainText(report.run)}\n` +
              `Upload them where the package wandb is: python3 ${plainText(shellWord(`${output}/upload.py`))}\n`,
          );
        finish(0);
      });
  },
};

const MLFLOW_EXAMPLES = `  zerotir export-metrics mlflow runs/seven --tracking-uri http://localhost:5000
  zerotir export-metrics mlflow runs/seven --tracking-uri https://mlflow.example.org --experiment arithmetic

Again, while the run trains or after it, the same command adds the steps that are not there yet. Options become parameters, cut to 6000 characters. In names
@ becomes _at_, and other characters that MLflow does not take become _. Where the server wants it: MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and
MLFLOW_TRACKING_PASSWORD, in the environment. A server that is not ready is asked six times.`;

const mlflow: CliCommand = {
  summary: "sends the run to an MLflow tracking server",
  examples: MLFLOW_EXAMPLES,
  build(command, { io, finish }) {
    command
      .argument("<run>", "run folder")
      .option("--tracking-uri <address>", "of the server (default: MLFLOW_TRACKING_URI of the environment)")
      .option("--experiment <name>", "is made when it is not there", "zerotir")
      .addOption(jsonOption("one JSON object"))
      .action(async (runFolder: string, flags: { trackingUri?: string; experiment: string; json?: boolean }) => {
        const { trackingUri = io.env.MLFLOW_TRACKING_URI, experiment, json = false } = flags;
        if (trackingUri === undefined || trackingUri === "")
          throw new UserError("export-metrics mlflow: no server; name it with --tracking-uri http://localhost:5000");
        const { exportRunToMlflow } = await import("../../run/tracking/mlflow");
        const report = await exportRunToMlflow({ runFolder, trackingUri, experiment }, io.env);
        if (json) jsonLine(io.stdout, { event: "export-metrics", to: "mlflow", ...report });
        else tellMlflow(report, io);
        finish(0);
      });
  },
};

/** `zerotir export-metrics`: a run for programs that keep runs. */
export const command: CliCommand = {
  summary: "the figures and options of a run, to Weights & Biases or MLflow",
  commands: { wandb, mlflow },
};

function tellMlflow(report: MlflowReport, { stdout }: CliIo): void {
  const { created, sent, present, options, renamed, cut, kept } = report;
  const write = (text: string) => stdout.write(`${plainText(text)}\n`);
  const rest = present === 0 ? "" : `, ${present} were there already`;
  write(
    `${report.run}: ${created ? "a new run" : "the run of an earlier export"} in MLflow's experiment ${report.experiment}`,
  );
  write(`  sent ${sent} values and ${options} options${rest}`);
  if (renamed.length > 0) write(`  renamed for MLflow: ${renamed.map(([from, to]) => `${from} to ${to}`).join(", ")}`);
  if (cut.length > 0) write(`  cut to 6000 characters: ${cut.join(", ")}`);
  if (kept.length > 0) write(`  have another value there, which MLflow does not change: ${kept.join(", ")}`);
  write(`  ${report.address}`);
}
