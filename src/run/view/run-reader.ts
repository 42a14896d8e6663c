/** The files of a run folder, read as they are at this moment: a run may be writing them. */
import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";
import { UserError } from "../../base/errors";
import { explained, isMissing, latestCheckpoint, nodeFolder } from "../../platform/node/files";
import { nodeTrainingHost } from "../../platform/node/training-host";
import { type MetricsTable, parseMetrics } from "../../report/statistics/metrics-table";
import { loadTokenizerOf } from "../../session/loaded-model";
import type { Tokenizer } from "../../text/tokenizer";
import { ATTEMPTS, type AttemptLine, attemptLine } from "./attempts";

export const METRICS = "metrics.jsonl";
export const EVALUATION = "evaluation.jsonl";
export const CONFIG = "config.resolved.yaml";
export const ROLLOUTS = "rollouts";

/** @throws UserError when the folder holds no run */
export async function checkRunFolder(path: string): Promise<void> {
  const names = await fs.readdir(path).catch((error: unknown) => {
    if (isMissing(error)) throw new UserError(`${path}: no such folder; expected a run folder such as runs/NAME`);
    throw explained(error, `cannot read ${path}`);
  });
  if (!names.includes(METRICS))
    throw new UserError(
      `${path}: not a run folder, it has no ${METRICS}; expected a folder that train wrote, such as runs/NAME`,
    );
}

/** The figures of a file of rows by step, as far as they can be read; none when there is no such file. */
export async function readRows(path: string, name: typeof METRICS | typeof EVALUATION): Promise<MetricsTable> {
  return parseMetrics(await text(path, name));
}

/** Lines that are no attempt are left out: the file is a record for people, not a base to go on from. */
export async function readAttempts(path: string): Promise<AttemptLine[]> {
  return (await text(path, ATTEMPTS)).split("\n").flatMap((line) => {
    const { data } = attemptLine.safeParse(parsed(line));
    return data === undefined ? [] : [data];
  });
}

/** The resolved options by their names in the file; none when the file is missing or no mapping. */
export async function readConfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const config: unknown = parse(await text(path, CONFIG));
    return typeof config === "object" && config !== null ? { ...config } : {};
  } catch {
    return {};
  }
}

/** Steps that have a rollouts file, rising. */
export async function rolloutSteps(path: string): Promise<{ step: number; file: string }[]> {
  const names = await fs.readdir(join(path, ROLLOUTS)).catch(() => []);
  return names
    .flatMap((name) => {
      const step = /^step_(\d+)\.jsonl$/.exec(name)?.[1];
      return step === undefined ? [] : [{ step: Number(step), file: join(path, ROLLOUTS, name) }];
    })
    .sort((a, b) => a.step - b.step);
}

/** The first lines of a file; it is read no further than they go. */
export async function* firstLines(file: string, count: number): AsyncGenerator<string> {
  if (count <= 0) return;
  const stream = createReadStream(file, "utf8");
  try {
    let left = count;
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== "") yield line;
      if (--left <= 0) return;
    }
  } finally {
    stream.destroy();
  }
}

/** The tokenizer of the run: of its newest checkpoint, or of the model that it started from. */
export async function readTokenizer(path: string, model: unknown): Promise<Tokenizer | undefined> {
  const checkpoint = await latestCheckpoint(path).catch(() => undefined);
  const folders = [
    ...(checkpoint === undefined ? [] : [nodeFolder(checkpoint)]),
    ...(typeof model === "string" ? [nodeTrainingHost(() => {}).modelFolder(model, { offline: true })] : []),
  ];
  for (const folder of folders) {
    const found = await loadTokenizerOf(folder).catch(() => undefined);
    if (found !== undefined) return found.tokenizer;
  }
  return undefined;
}

/** A file's text; none when there is no such file. */
async function text(path: string, name: string): Promise<string> {
  return fs.readFile(join(path, name), "utf8").catch((error: unknown) => {
    if (isMissing(error)) return "";
    throw explained(error, `cannot read ${join(path, name)}`);
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
