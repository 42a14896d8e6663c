/** A run folder as a tracker of runs wants it. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { UserError } from "../../base/errors";
import { isRecord } from "../../base/json";
import { isHeld } from "../../platform/node/run-place";
import type { MetricsTable } from "../../report/statistics/metrics-table";
import type { AttemptLine } from "../view/attempts";
import { withoutCredentials } from "../view/run-data";
import { CONFIG, checkRunFolder, EVALUATION, METRICS, readAttempts, readConfig, readRows } from "../view/run-reader";

/** The figures of one step. */
export interface TrackedRow {
  readonly step: number;
  /** About when the step ended: the start and the step times so far, in milliseconds since 1970. */
  readonly time: number;
  /** By name; figures that are null are left out. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface TrackedRun {
  readonly name: string;
  /** 16 hexadecimal digits, the same in every export of the run. */
  readonly id: string;
  readonly state: "running" | "finished" | "interrupted" | "failed";
  /** Milliseconds since 1970. */
  readonly startTime: number;
  /** By their names in the file, without passwords. */
  readonly config: Readonly<Record<string, unknown>>;
  /** By rising step: metrics.jsonl and evaluation.jsonl in one. */
  readonly rows: readonly TrackedRow[];
}

/** @throws UserError when the folder holds no run, or no step of one */
export async function readTrackedRun(path: string): Promise<TrackedRun> {
  await checkRunFolder(path);
  const [metrics, evaluations, attempts, config] = await Promise.all([
    readRows(path, METRICS),
    readRows(path, EVALUATION),
    readAttempts(path),
    readConfig(path),
  ]);
  const name = wellFormed(basename(resolve(path)));
  const started = attempts.find(({ event }) => event === "start")?.time;
  const startTime = started === undefined ? await oldest(path) : Date.parse(started);
  const rows = rowsOf([evaluations, metrics], startTime);
  if (rows.length === 0) throw new UserError(`${path}: ${METRICS} has no row yet; export the run after its first step`);
  return {
    name,
    id: createHash("sha256")
      .update(JSON.stringify([name, started ?? null]))
      .digest("hex")
      .slice(0, 16),
    state: stateOf(attempts, await isHeld(path)),
    startTime,
    config: Object.fromEntries(Object.entries(config).map(([option, value]) => [wellFormed(option), clean(value)])),
    rows,
  };
}

/** When the run began, as far as its files tell. */
async function oldest(path: string): Promise<number> {
  const file = await stat(join(path, CONFIG)).catch(() => stat(join(path, METRICS)));
  return Math.floor(file.mtimeMs);
}

/** Later tables win where two have a figure of the same step. */
function rowsOf(tables: readonly MetricsTable[], startTime: number): TrackedRow[] {
  const byStep = new Map<number, Map<string, number>>();
  for (const { columns } of tables)
    for (const [name, column] of columns)
      for (const [step, value] of column)
        if (name !== "step" && value !== null && Number.isSafeInteger(step)) {
          const figures = byStep.get(step) ?? new Map<string, number>();
          byStep.set(step, figures.set(wellFormed(name), value));
        }
  let seconds = 0;
  return [...byStep]
    .sort(([a], [b]) => a - b)
    .map(([step, figures]) => {
      seconds += Math.max(0, figures.get("step_time") ?? 0);
      return { step, time: Math.round(startTime + 1000 * seconds), figures: Object.fromEntries(figures) };
    });
}

function stateOf(attempts: readonly AttemptLine[], isWritten: boolean): TrackedRun["state"] {
  if (isWritten) return "running";
  const last = attempts.at(-1);
  // Only train records its attempts.
  if (last === undefined) return "finished";
  return last.event === "end" ? last.outcome : "failed";
}

/** Texts that every encoder takes, and no password of an address. */
function clean(value: unknown): unknown {
  if (typeof value === "string") return wellFormed(withoutCredentials(value));
  if (Array.isArray(value)) return value.map(clean);
  if (isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [wellFormed(name), clean(part)]));
  return value;
}

/** The text with U+FFFD in the place of lone surrogates, which have no UTF-8. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, "\ufffd");
}
