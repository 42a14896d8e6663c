/** The report page of a run while it trains: on 127.0.0.1 only, for reading only. */
import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../base/errors";
import { livePage } from "../../report/html/embed";
import type { Rollout, RunData } from "../../report/html/run-data";
import { rolloutsShown } from "../../report/html/selection";
import type { Tokenizer } from "../../text/tokenizer";
import { ATTEMPTS } from "./attempts";
import { readRollouts, reportPage } from "./report-file";
import { readRun, rolloutPlan, rolloutRule, shownSteps } from "./run-data";
import {
  CONFIG,
  checkRunFolder,
  EVALUATION,
  METRICS,
  ROLLOUTS,
  readConfig,
  readTokenizer,
  rolloutSteps,
} from "./run-reader";

/** Milliseconds between looks at the run's files. */
const LOOK_MS = 1000;
/** Windows that may watch at once. */
const MOST_WATCHERS = 32;

/** A page that is being served. */
export interface ServedRun {
  /** `http://127.0.0.1:PORT/`. */
  readonly address: string;
  close(): Promise<void>;
}

/** Files that can be fetched as they are; nothing else of the disk can. */
const FILES = new RegExp(
  `^/files/(${METRICS.replace(".", "\\.")}|${CONFIG.replaceAll(".", "\\.")}|${ROLLOUTS}/step_\\d+\\.jsonl)$`,
);

const HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Content-Security-Policy": "frame-ancestors 'none'",
};

/**
 * Serves a run.
 *
 * @param port 0 for a free one
 * @throws UserError when the folder holds no run, or the port is taken
 */
export async function serveRun(runFolder: string, port: number, rolloutsPerStep: number): Promise<ServedRun> {
  await checkRunFolder(runFolder);
  const page = livePage(reportPage());
  const rolloutsOf = rolloutReader(runFolder, rolloutsPerStep);
  const watchers = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent)
        refuse(response, 500, error instanceof UserError ? error.message : "the run could not be read");
      else response.destroy();
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = refusalOf(request, portOf(server));
    if (refusal !== undefined) return refuse(response, ...refusal);
    const path = request.url ?? "";
    const step = /^\/rollouts\/(\d{1,9})\.json$/.exec(path)?.[1];
    const file = FILES.exec(path)?.[1];
    if (path === "/") return send(response, "text/html; charset=utf-8", page);
    if (path === "/run.json") return sendJson(response, await runData(runFolder, rolloutsPerStep));
    if (path === "/events") return watch(response);
    if (step !== undefined) return sendJson(response, await rolloutsOf(Number(step)));
    if (file !== undefined) return sendFile(response, runFolder, file);
    refuse(response, 404, "no such page");
  }

  function watch(response: ServerResponse): void {
    if (watchers.size >= MOST_WATCHERS) {
      refuse(response, 503, "too many windows watch this run");
      return;
    }
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(": watching\n\n");
    watchers.add(response);
    response.on("close", () => watchers.delete(response));
  }

  let seen = await stateOf(runFolder);
  const timer = setInterval(() => {
    void stateOf(runFolder).then((now) => {
      if (now === seen) return;
      seen = now;
      for (const watcher of watchers) watcher.write("event: change\ndata: \n\n");
    });
  }, LOOK_MS);
  try {
    await new Promise<void>((done, fail) => {
      server.once("error", fail);
      server.listen(port, "127.0.0.1", done);
    });
  } catch (error) {
    clearInterval(timer);
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE")
      throw new UserError(`--port ${port}: taken by another program; leave --port off for a free one`);
    if (code === "EACCES") throw new UserError(`--port ${port}: not allowed; take one above 1023, or leave --port off`);
    throw error;
  }
  return {
    address: `http://127.0.0.1:${portOf(server)}/`,
    close() {
      clearInterval(timer);
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/**
 * Why a request is not answered. A page of another site whose name was made to point here is told apart by its Host;
 * a script of another site by where the browser says that it comes from.
 */
function refusalOf({ method, headers }: IncomingMessage, port: number): [status: number, why: string] | undefined {
  if (![`127.0.0.1:${port}`, `localhost:${port}`].includes(headers.host ?? ""))
    return [403, "this server answers to 127.0.0.1 only"];
  if (method !== "GET") return [405, "this server is for reading"];
  const site = headers["sec-fetch-site"];
  const isVisit = headers["sec-fetch-mode"] === "navigate";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !isVisit) return [403, "not for other sites"];
  return undefined;
}

async function runData(runFolder: string, limit: number): Promise<RunData> {
  const [run, steps] = await Promise.all([readRun(runFolder), rolloutSteps(runFolder)]);
  return { ...run.data, rolloutSteps: shownSteps(run, steps, limit), rolloutRule: rolloutRule(run, limit) };
}

/** Reads rollouts of a run, and its tokenizer once. */
function rolloutReader(runFolder: string, limit: number): (step: number) => Promise<readonly Rollout[]> {
  let tokenizer: Tokenizer | undefined;
  return async (step) => {
    const found = (await rolloutSteps(runFolder)).find((each) => each.step === step);
    if (found === undefined) return [];
    const { model, groupSize } = rolloutPlan(await readConfig(runFolder));
    tokenizer ??= await readTokenizer(runFolder, model);
    return readRollouts(found.file, rolloutsShown(limit, groupSize), tokenizer);
  };
}

/** What changes whenever the run writes something that the page shows. */
async function stateOf(runFolder: string): Promise<string> {
  const names = [METRICS, EVALUATION, ATTEMPTS, ROLLOUTS, ".lock"];
  const states = names.map((name) =>
    fs.stat(join(runFolder, name)).then(
      ({ size, mtimeMs }) => `${size} ${mtimeMs}`,
      () => "none",
    ),
  );
  return (await Promise.all(states)).join(", ");
}

async function sendFile(response: ServerResponse, runFolder: string, name: string): Promise<void> {
  const root = await fs.realpath(runFolder);
  const file = await fs.realpath(join(root, name)).catch(() => undefined);
  // A link in the run folder may lead out of it.
  if (file === undefined || !file.startsWith(root + sep)) return refuse(response, 404, "no such file");
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", "Content-Disposition": "attachment" });
  await pipeline(createReadStream(file), response);
}

function sendJson(response: ServerResponse, value: unknown): void {
  send(response, "application/json", JSON.stringify(value));
}

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { "Content-Type": type });
  response.end(body);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    ...(status === 405 ? { Allow: "GET" } : {}),
  });
  response.end(`${why}\n`);
}

function portOf(server: Server): number {
  const place = server.address();
  if (typeof place !== "object" || place === null) throw new Error("the server has no port");
  return place.port;
}
