/** An MLflow tracking server as far as its REST API is used, which refuses what MLflow's own validation refuses. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import * as z from "zod";

/** mlflow/utils/validation.py: names. Without the colon, which servers on Windows refuse. */
const NAME = z
  .string()
  .min(1)
  .max(250)
  .regex(/^[\w\-. /]*$/)
  .refine((name) => name.split("/").every((part) => part !== "" && part !== "." && part !== ".."), "no plain path");
const int64 = z.int();
const metric = z.strictObject({ key: NAME, value: z.number(), timestamp: int64.min(0), step: int64 });
const param = z.strictObject({ key: NAME, value: z.string().refine((value) => [...value].length <= 6000, "too long") });
const tag = z.strictObject({ key: NAME, value: z.string().max(8000) });
const REQUESTS = {
  "POST experiments/create": z.strictObject({ name: z.string().min(1) }),
  "GET experiments/get-by-name": z.strictObject({ experiment_name: z.string().min(1) }),
  "POST runs/create": z.strictObject({
    experiment_id: z.string(),
    run_name: z.string().max(250),
    start_time: int64.min(1e12),
    tags: z.array(tag),
  }),
  "POST runs/search": z.strictObject({
    experiment_ids: z.array(z.string()),
    filter: z.string().regex(/^tags\.zerotir_run = '[0-9a-f]+'$/),
    run_view_type: z.literal("ACTIVE_ONLY"),
    max_results: int64.min(1).max(50_000),
  }),
  "POST runs/log-batch": z
    .strictObject({
      run_id: z.string(),
      metrics: z.array(metric).max(1000).default([]),
      params: z.array(param).max(100).default([]),
      tags: z.array(tag).max(100).default([]),
    })
    .refine(({ metrics, params, tags }) => metrics.length + params.length + tags.length <= 1000),
  "POST runs/update": z.strictObject({
    run_id: z.string(),
    status: z.enum(["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]),
    end_time: int64.optional(),
  }),
};
type Endpoint = keyof typeof REQUESTS;

export interface StoredRun {
  readonly id: string;
  readonly experiment: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly params: Map<string, string>;
  readonly points: z.output<typeof metric>[];
  status: string;
  endTime: number | undefined;
}

/** A reason not to answer as MLflow would. */
export type Fault = (endpoint: string, request: IncomingMessage, response: ServerResponse, count: number) => boolean;

export class MlflowServer {
  readonly experiments = new Map<string, string>();
  readonly runs: StoredRun[] = [];
  readonly asked: string[] = [];
  fault: Fault = () => false;
  /** Makes the answer to a request come after the request has had its effect. */
  afterEffect: Fault = () => false;
  address = "";
  private readonly server = createServer((request, response) => void this.answer(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const bound = this.server.address();
    if (bound === null || typeof bound === "string") throw new Error("no port");
    this.address = `http://127.0.0.1:${bound.port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://x");
    const name = `${request.method} ${url.pathname.replace("/api/2.0/mlflow/", "")}`;
    this.asked.push(name);
    const count = this.asked.filter((each) => each === name).length;
    const body = await text(request);
    if (this.fault(name, request, response, count)) return;
    const [status, result] = this.handle(name, request, body, url);
    if (this.afterEffect(name, request, response, count)) return;
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(result));
  }

  private handle(name: string, request: IncomingMessage, body: string, url: URL): [number, object] {
    const invalid = (message: string): [number, object] => [400, { error_code: "INVALID_PARAMETER_VALUE", message }];
    if (!isEndpoint(name)) return [404, { error_code: "ENDPOINT_NOT_FOUND", message: name }];
    if (Buffer.byteLength(body) > 1e6) return invalid("request over 1 MB");
    if (request.method === "POST" && request.headers["content-type"] !== "application/json")
      return invalid("no JSON content type");
    const fields: unknown = request.method === "GET" ? Object.fromEntries(url.searchParams) : JSON.parse(body);
    const { error } = REQUESTS[name].safeParse(fields);
    if (error !== undefined) return invalid(error.message);
    switch (name) {
      case "GET experiments/get-by-name": {
        const { experiment_name } = REQUESTS[name].parse(fields);
        const id = this.experiments.get(experiment_name);
        if (id === undefined) return [404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "none" }];
        return [200, { experiment: { experiment_id: id, name: experiment_name, lifecycle_stage: "active" } }];
      }
      case "POST experiments/create": {
        const id = String(this.experiments.size + 1);
        this.experiments.set(REQUESTS[name].parse(fields).name, id);
        return [200, { experiment_id: id }];
      }
      case "POST runs/create": {
        const { experiment_id, run_name, tags } = REQUESTS[name].parse(fields);
        const run: StoredRun = {
          id: `run${this.runs.length}`,
          experiment: experiment_id,
          name: run_name,
          tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
          params: new Map(),
          points: [],
          status: "RUNNING",
          endTime: undefined,
        };
        this.runs.push(run);
        return [200, { run: { info: { run_id: run.id }, data: { tags } } }];
      }
      case "POST runs/search": {
        const { experiment_ids, filter } = REQUESTS[name].parse(fields);
        const wanted = filter.split("'")[1];
        const found = this.runs.filter(
          (run) => experiment_ids.includes(run.experiment) && run.tags.zerotir_run === wanted,
        );
        return [200, found.length === 0 ? {} : { runs: found.map(asMlflow) }];
      }
      case "POST runs/log-batch": {
        const { run_id, metrics, params } = REQUESTS[name].parse(fields);
        const run = this.runs.find(({ id }) => id === run_id);
        if (run === undefined) return [404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: run_id }];
        for (const { key, value } of params) {
          if (run.params.has(key) && run.params.get(key) !== value) return invalid(`${key} is another already`);
          run.params.set(key, value);
        }
        // The database has a primary key over all four.
        const known = new Set(run.points.map((point) => JSON.stringify(point)));
        run.points.push(...metrics.filter((point) => !known.has(JSON.stringify(point))));
        return [200, {}];
      }
      case "POST runs/update": {
        const { run_id, status, end_time } = REQUESTS[name].parse(fields);
        const run = this.runs.find(({ id }) => id === run_id);
        if (run === undefined) return [404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: run_id }];
        run.status = status;
        run.endTime = end_time;
        return [200, { run_info: {} }];
      }
    }
  }
}

function isEndpoint(name: string): name is Endpoint {
  return name in REQUESTS;
}

/** With the last value of each metric, and 64-bit integers as the text that protobuf's JSON has. */
function asMlflow({ id, points, params }: StoredRun): object {
  const latest = new Map<string, z.output<typeof metric>>();
  for (const point of points)
    if (point.step >= (latest.get(point.key)?.step ?? -Infinity)) latest.set(point.key, point);
  return {
    info: { run_id: id },
    data: {
      metrics: [...latest.values()].map(({ step, timestamp, ...rest }) => ({
        ...rest,
        step: String(step),
        timestamp: String(timestamp),
      })),
      params: [...params].map(([key, value]) => ({ key, value })),
    },
  };
}
