/** report.html: the page with a run inside. */
import { randomUUID } from "node:crypto";
import { createWriteStream, readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { explained } from "../../platform/node/files";
import { dataElement, inertJson, ROLLOUTS_CLASS, RUN_ELEMENT, splitPage } from "../../report/html/embed";
import type { Rollout } from "../../report/html/run-data";
import { rolloutsShown, StepSelection, type StepText } from "../../report/html/selection";
import { packageRoot } from "../../sandbox/node/paths";
import type { Tokenizer } from "../../text/tokenizer";
import { toRollout } from "./record";
import { type ReadRun, readRun, rolloutRule } from "./run-data";
import { checkRunFolder, firstLines, readTokenizer, rolloutSteps } from "./run-reader";

/** How much of a run goes into a page. */
export interface ReportLimits {
  /** Most rollouts of a step. */
  readonly rolloutsPerStep: number;
  /** Most of the file, in MB of 10^6 bytes. */
  readonly maxSizeMb: number;
}

export const DEFAULT_LIMITS: ReportLimits = { rolloutsPerStep: 16, maxSizeMb: 32 };

export interface WrittenReport {
  readonly path: string;
  readonly bytes: number;
  /** Steps whose rollouts are in it. */
  readonly rolloutSteps: number;
  readonly rollouts: number;
}

/** The built page, without data. */
export function reportPage(): string {
  return readFileSync(join(packageRoot(), "dist/report-page.html"), "utf8");
}

/**
 * Writes a run as one file that needs nothing else. It appears under its name all at once.
 *
 * @throws UserError when the folder holds no run, or the file can't be written
 */
export async function writeReport(runFolder: string, output: string, limits: ReportLimits): Promise<WrittenReport> {
  await checkRunFolder(runFolder);
  const run = await readRun(runFolder);
  const [head, tail] = splitPage(reportPage());
  const room =
    limits.maxSizeMb * 1e6 - Buffer.byteLength(inertJson(run.data)) - Buffer.byteLength(head + tail) - 10_000;
  const { selection, total } = await selectRollouts(runFolder, run, limits.rolloutsPerStep, Math.max(0, room));
  const rolloutSteps = selection.kept.map(({ step, count }) => ({ step, shown: count }));
  const thinned =
    selection.kept.length < total
      ? ` Rollouts of ${selection.kept.length} of ${total} steps, evenly spaced, fit into the ${limits.maxSizeMb} MB that this file may have (--max-size).`
      : ` This file may have ${limits.maxSizeMb} MB (--max-size).`;
  const data = { ...run.data, rolloutSteps, rolloutRule: rolloutRule(run, limits.rolloutsPerStep) + thinned };
  function* parts(): Generator<string> {
    yield head;
    yield dataElement(`id="${RUN_ELEMENT}"`, inertJson(data));
    for (const { step, text } of selection.kept)
      yield dataElement(`class="${ROLLOUTS_CLASS}" data-step="${step}"`, text);
    yield tail;
  }
  const temporary = `${output}.${randomUUID()}.tmp`;
  try {
    await fs.mkdir(dirname(output), { recursive: true });
    await pipeline(parts, createWriteStream(temporary));
    const { size: bytes } = await fs.stat(temporary);
    await fs.rename(temporary, output);
    return {
      path: output,
      bytes,
      rolloutSteps: rolloutSteps.length,
      rollouts: rolloutSteps.reduce((sum, { shown }) => sum + shown, 0),
    };
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw explained(error, `cannot write ${output}`);
  }
}

/** The rollouts that a step shows. */
export async function readRollouts(file: string, count: number, tokenizer: Tokenizer | undefined): Promise<Rollout[]> {
  const rollouts: Rollout[] = [];
  for await (const line of firstLines(file, count)) {
    const rollout = toRollout(line, tokenizer);
    if (rollout !== undefined) rollouts.push(rollout);
  }
  return rollouts;
}

async function selectRollouts(runFolder: string, run: ReadRun, limit: number, room: number) {
  const steps = await rolloutSteps(runFolder);
  const count = rolloutsShown(limit, run.groupSize);
  const tokenizer = steps.length === 0 ? undefined : await readTokenizer(runFolder, run.model);
  const selection = new StepSelection(room);
  for (const [place, { step, file }] of count === 0 ? [] : steps.entries()) {
    const isLast = place === steps.length - 1;
    if (!selection.wants(place, isLast)) continue;
    const text = stepText(step, await readRollouts(file, count, tokenizer), selection.longestStep);
    if (text.count > 0) selection.add(place, isLast, text);
  }
  return { selection, total: steps.length };
}

/** Bytes of a data element without its content, at most. */
const ELEMENT_BYTES = 120;

/** As many of the rollouts as fit, as one JSON array. */
function stepText(step: number, rollouts: readonly Rollout[], longest: number): StepText {
  const parts: string[] = [];
  let length = ELEMENT_BYTES;
  for (const rollout of rollouts) {
    const part = inertJson(rollout);
    const bytes = Buffer.byteLength(part) + 1;
    if (length + bytes > longest) break;
    length += bytes;
    parts.push(part);
  }
  return { step, text: `[${parts.join(",")}]`, bytes: length, count: parts.length };
}
