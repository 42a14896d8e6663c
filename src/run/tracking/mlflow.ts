/** A run in an MLflow tracking server. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { UserError } from "../../base/errors";
import { must } from "../../base/must";
import { optionText } from "../view/run-data";
import { MlflowClient, MlflowRefusal } from "./mlflow-client";
import { readTrackedRun, type TrackedRun, wellFormed } from "./tracked-run";

export interface MlflowReport {
  /** Its page. */
  readonly address: string;
  readonly run: string;
  readonly experiment: string;
  /** False: the run was there, from an earlier export. */
  readonly created: boolean;
  /** Values sent, and values that were there already. */
  readonly sent: number;
  readonly present: number;
  /** Options sent. */
  readonly options: number;
  /** Names that MLflow does not take, with those they have there. */
  readonly renamed: readonly (readonly [string, string])[];
  /** Options whose value was cut to 6000 characters. */
  readonly cut: readonly string[];
  /** Options that have another value there, which MLflow never changes. */
  readonly kept: readonly string[];
}

/** Limits of log-batch. A request may have 1 MB: 25 values of 6000 characters have at most half of it. */
const [METRICS_PER_BATCH, PARAMS_PER_BATCH, LONGEST_PARAM] = [1000, 25, 6000];
const LONGEST_RUN_NAME = 250;
/** By this tag a later export finds the run. */
const TAG = "zerotir_run";
/** A database may round a value when it stores it. */
const ROUNDING = 1e-9;
const STATUS = { running: "RUNNING", finished: "FINISHED", interrupted: "KILLED", failed: "FAILED" } as const;

const nothing = z.unknown();
const experimentAnswer = z.object({
  experiment: z.object({ experiment_id: z.string(), lifecycle_stage: z.string().optional() }),
});
const runAnswer = z.object({
  info: z.object({ run_id: z.string() }),
  data: z
    .object({
      metrics: z.array(z.object({ key: z.string(), value: z.coerce.number(), step: z.coerce.number() })).default([]),
      params: z.array(z.object({ key: z.string(), value: z.string() })).default([]),
    })
    .default({ metrics: [], params: [] }),
});
type MlflowRun = z.output<typeof runAnswer>;

interface Point {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

/**
 * Sends the run of a folder to a tracking server.
 *
 * @param env MLFLOW_TRACKING_TOKEN and its like: {@link MlflowClient}
 * @throws UserError, EndpointError
 */
export async function exportRunToMlflow(
  request: { readonly runFolder: string; readonly trackingUri: string; readonly experiment: string },
  env: Readonly<Record<string, string | undefined>>,
): Promise<MlflowReport> {
  const client = new MlflowClient(request.trackingUri, env);
  return exportToMlflow(await readTrackedRun(request.runFolder), client, request.experiment);
}

/**
 * Makes the run there, or adds to it what has come since the last export.
 * @throws UserError, EndpointError
 */
export async function exportToMlflow(run: TrackedRun, client: MlflowClient, experiment: string): Promise<MlflowReport> {
  const experimentId = await experimentOf(client, experiment);
  const { there, created } = await runOf(run, client, experimentId);
  const runId = there.info.run_id;
  const send = (fields: object) => client.send(nothing, "POST", "runs/log-batch", { run_id: runId, ...fields });

  const { params, cut, kept, renamed: renamedOptions } = newParams(run, there);
  for (const part of parts(params, PARAMS_PER_BATCH)) await send({ params: part });
  const { points, present, renamed } = newPoints(run, there);
  for (const part of parts(points, METRICS_PER_BATCH)) await send({ metrics: part });
  await client.send(nothing, "POST", "runs/update", {
    run_id: runId,
    status: STATUS[run.state],
    ...(run.state === "running" ? {} : { end_time: run.rows.at(-1)?.time }),
  });
  return {
    address: `${client.address}/#/experiments/${experimentId}/runs/${runId}`,
    run: run.name,
    experiment,
    created,
    sent: points.length,
    present,
    options: params.length,
    renamed: [...renamed, ...renamedOptions],
    cut,
    kept,
  };
}

async function experimentOf(client: MlflowClient, name: string): Promise<string> {
  try {
    const path = "experiments/get-by-name";
    const { experiment } = await client.send(experimentAnswer, "GET", path, { experiment_name: name });
    if (experiment.lifecycle_stage === "deleted")
      throw new UserError(
        `MLflow's experiment ${name} is deleted; restore it there, or name another with --experiment`,
      );
    return experiment.experiment_id;
  } catch (error) {
    if (!(error instanceof MlflowRefusal && error.code === "RESOURCE_DOES_NOT_EXIST")) throw error;
  }
  const made = z.object({ experiment_id: z.string() });
  return (await client.send(made, "POST", "experiments/create", { name })).experiment_id;
}

/** The run of an earlier export, or a new one. A try that got no answer may have made it, so every try looks first. */
function runOf(
  run: TrackedRun,
  client: MlflowClient,
  experimentId: string,
): Promise<{ there: MlflowRun; created: boolean }> {
  let asked = false;
  return client.untilReady(async () => {
    const found = await client.sendOnce(z.object({ runs: z.array(runAnswer).default([]) }), "POST", "runs/search", {
      experiment_ids: [experimentId],
      filter: `tags.${TAG} = '${run.id}'`,
      run_view_type: "ACTIVE_ONLY",
      max_results: 1,
    });
    const [there] = found.runs;
    if (there !== undefined) return { there, created: asked };
    asked = true;
    const made = await client.sendOnce(z.object({ run: runAnswer }), "POST", "runs/create", {
      experiment_id: experimentId,
      run_name: wellFormed(run.name.slice(0, LONGEST_RUN_NAME)),
      start_time: run.startTime,
      tags: [
        { key: TAG, value: run.id },
        { key: "mlflow.source.name", value: "zerotir" },
      ],
    });
    return { there: made.run, created: true };
  });
}

function newParams({ config }: TrackedRun, { data }: MlflowRun) {
  const names = mlflowNames(Object.keys(config));
  const there = new Map(data.params.map(({ key, value }) => [key, value]));
  const cut: string[] = [];
  const kept: string[] = [];
  const params = Object.entries(config).flatMap(([name, value]) => {
    const key = must(names.get(name), `the name of ${name}`);
    const text = optionText(value);
    const short = wellFormed(text.slice(0, LONGEST_PARAM));
    if (text.length > LONGEST_PARAM) cut.push(name);
    const old = there.get(key);
    if (old !== undefined && old !== short) kept.push(name);
    return old === undefined ? [{ key, value: short }] : [];
  });
  return { params, cut, kept, renamed: changed(names) };
}

/**
 * The points that come after the last one of their name there.
 * @throws UserError when that last one has another value here: the run was made anew since
 */
function newPoints({ name: runName, rows }: TrackedRun, { data }: MlflowRun) {
  const names = mlflowNames(rows.flatMap(({ figures }) => Object.keys(figures)));
  const last = new Map(data.metrics.map(({ key, value, step }) => [key, { value, step }]));
  const points: Point[] = [];
  const confirmed = new Set<string>();
  let present = 0;
  for (const { step, time, figures } of rows)
    for (const [name, value] of Object.entries(figures)) {
      const key = must(names.get(name), `the name of ${name}`);
      const old = last.get(key);
      if (old === undefined || step > old.step) points.push({ key, value, timestamp: time, step });
      else present++;
      if (step === old?.step && Math.abs(value - old.value) <= ROUNDING * Math.abs(value)) confirmed.add(key);
    }
  const other = [...names.values()].find((key) => last.has(key) && !confirmed.has(key));
  if (other !== undefined)
    throw new UserError(
      `MLflow has another course of ${other} for run ${runName}, up to step ${last.get(other)?.step}: ` +
        "steps were made anew since its export; delete that run in MLflow, or name another --experiment",
    );
  return { points, present, renamed: changed(names) };
}

function changed(names: ReadonlyMap<string, string>): (readonly [string, string])[] {
  return [...names].filter(([from, to]) => from !== to);
}

function parts<Item>(items: readonly Item[], most: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, i) => items.slice(i * most, (i + 1) * most));
}

/** Characters of the longest name of a metric or parameter. */
const LONGEST_NAME = 250;

/**
 * Names as every MLflow server takes them, by the given ones: letters, digits, `_ - . /` and spaces, no part of a path
 * that is empty or only dots, 250 characters. `@` becomes `_at_`, anything else `_`. Two that would be the same are
 * told apart by a digest.
 */
export function mlflowNames(names: Iterable<string>): ReadonlyMap<string, string> {
  const all = [...new Set(names)].sort();
  const taken = new Set(all.filter((name) => allowed(name) === name));
  return new Map(
    all.map((name) => {
      const short = allowed(name);
      if (short === name) return [name, name];
      const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
      const unique = taken.has(short) ? `${short.slice(0, LONGEST_NAME - 9)}_${digest}` : short;
      taken.add(unique);
      return [name, unique];
    }),
  );
}

function allowed(name: string): string {
  return name
    .replaceAll("@", "_at_")
    .replace(/[^\w\-. /]/gu, "_")
    .slice(0, LONGEST_NAME)
    .split("/")
    .map((part) => (/^\.*$/.test(part) ? "_" : part))
    .join("/")
    .slice(0, LONGEST_NAME);
}
