/**
 * A folder that uploads a run to Weights & Biases: the format of its own files is internal, so its own package does the
 * upload.
 */
import { UserError } from "../../base/errors";
import { nodeFolder, writeFolder } from "../../platform/node/files";
import { metricsLine } from "../../session/metrics";
import { toRollout } from "../view/record";
import { firstLines, rolloutSteps } from "../view/run-reader";
import { readTrackedRun, wellFormed } from "./tracked-run";
import script from "./upload_to_wandb.py?raw";

export interface WandbRequest {
  readonly runFolder: string;
  /** A new folder. */
  readonly output: string;
  /** Most rollouts of the last step. */
  readonly rollouts: number;
}

export interface WandbReport {
  readonly output: string;
  readonly run: string;
  readonly steps: number;
  readonly rollouts: number;
}

/**
 * Writes the folder. No text of the run becomes part of the script, which reads it from JSON files.
 * @throws UserError
 */
export async function exportToWandb({ runFolder, output, rollouts }: WandbRequest): Promise<WandbReport> {
  if (((await nodeFolder(output).list()) ?? []).length > 0)
    throw new UserError(`${output}: is not empty; choose a new folder for --output`);
  const run = await readTrackedRun(runFolder);
  const lines = await lastRollouts(runFolder, rollouts);
  const { name, id, state } = run;
  await writeFolder(output, async (writer) => {
    await writer.write("upload.py", script);
    await writer.write("run.json", `${JSON.stringify({ name, id, state })}\n`);
    await writer.write("config.json", `${JSON.stringify(run.config, null, 2)}\n`);
    await writer.write(
      "metrics.jsonl",
      run.rows.map(({ step, figures }) => metricsLine({ ...figures, step })).join(""),
    );
    await writer.write("rollouts.jsonl", lines.join(""));
  });
  return { output, run: name, steps: run.rows.length, rollouts: lines.length };
}

/** The columns of a table for people, a JSON line for each of the first rollouts of the last step. */
async function lastRollouts(runFolder: string, most: number): Promise<string[]> {
  const last = (await rolloutSteps(runFolder)).at(-1);
  if (last === undefined) return [];
  const lines: string[] = [];
  for await (const line of firstLines(last.file, most)) {
    const rollout = toRollout(line, undefined);
    if (rollout === undefined) continue;
    const { step, group, sample, prompt, text, reward, advantage, finishReason, tools } = rollout;
    lines.push(
      `${JSON.stringify({
        step,
        group,
        sample,
        prompt: wellFormed(prompt),
        response: wellFormed(text),
        reward,
        advantage,
        finish_reason: finishReason,
        python_calls: tools.length,
        failed_calls: tools.filter(({ status }) => status !== "ok").length,
      })}\n`,
    );
  }
  return lines;
}
