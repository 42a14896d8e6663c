import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/program";
import { exportToMlflow, mlflowNames } from "../../src/run/tracking/mlflow";
import { MlflowClient } from "../../src/run/tracking/mlflow-client";
import { readTrackedRun } from "../../src/run/tracking/tracked-run";
import { MlflowServer } from "./mlflow-server";
import { testIo } from "./support";
import { CONFIG, ROWS, VALUES, writeRun } from "./tracked-run-folder";

let folder: string;
let server: MlflowServer;
beforeEach(async () => {
  folder = join(await fs.mkdtemp(join(tmpdir(), "zerotir-mlflow-")), 'it\'s "a" run\n#1');
  await writeRun(folder);
  server = await new MlflowServer().start();
});
afterEach(async () => {
  await server.stop();
  await fs.rm(join(folder, ".."), { recursive: true });
});

const QUICK = { timeoutMs: 10_000, tries: 6, firstWaitMs: 1 };
const send = async (env = {}, patience = QUICK) =>
  exportToMlflow(await readTrackedRun(folder), new MlflowClient(server.address, env, patience), "arithmetic");

/** What the server has, under the names of the run. */
function stored(): ReadonlyMap<string, number> {
  const names = [...VALUES.keys()].map((each) => each.replace(/ of \d+$/, ""));
  const back = new Map([...mlflowNames(names)].map(([from, to]) => [to, from]));
  return new Map(server.runs.flatMap(({ points }) => points.map((p) => [`${back.get(p.key)} of ${p.step}`, p.value])));
}

it("sends every value of metrics.jsonl and evaluation.jsonl, the options, times and the state", async () => {
  const report = await send();
  expect(report).toMatchObject({ created: true, sent: VALUES.size, present: 0, options: 9, cut: ["long"], kept: [] });
  expect(new Map([...stored()].sort())).toEqual(new Map([...VALUES].sort()));
  const [run] = server.runs;
  expect(run?.points).toHaveLength(VALUES.size);
  expect(run).toMatchObject({ name: 'it\'s "a" run\n#1', status: "FINISHED", experiment: "1" });
  const start = Date.parse("2026-01-02T03:04:05Z");
  const times = Object.fromEntries(run?.points.map(({ step, timestamp }) => [step, timestamp - start]) ?? []);
  expect(times).toEqual({ 0: 0, 1: 2500, 2: 2750, 10: 3750 });
  expect(run?.endTime).toBe(start + 3750);
  expect(Object.fromEntries(run?.params ?? [])).toMatchObject({
    max_steps: "10",
    top_k: "none",
    tool_url: "http://***@host/run",
    // The surrogate pair at the limit is not torn apart into what has no UTF-8.
    long: `${"x".repeat(5999)}\ufffd`,
    "odd key_ _at_/_/x": "",
    system_prompt: CONFIG.system_prompt.replace("\ud800", "\ufffd"),
  });
  expect(report.address).toBe(`${server.address}/#/experiments/1/runs/run0`);
});

it("sends at most 1000 values and 25 options a request, each once", async () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`time/${i}`, i + 0.5]));
  const rows = Array.from({ length: 7 }, (_, i) => JSON.stringify({ step: i + 1, ...many }));
  await fs.writeFile(join(folder, "metrics.jsonl"), `${rows.join("\n")}\n`);
  await fs.rm(join(folder, "evaluation.jsonl"));
  const options = Array.from({ length: 130 }, (_, i) => `option_${i}: ${"é".repeat(5999)}`);
  await fs.writeFile(join(folder, "config.resolved.yaml"), options.join("\n"));
  expect(await send()).toMatchObject({ sent: 2100, options: 130 });
  expect(server.runs[0]?.points).toHaveLength(2100);
  expect(server.runs[0]?.params.size).toBe(130);
  expect(server.asked.filter((name) => name === "POST runs/log-batch")).toHaveLength(6 + 3);
});

describe("a later export of the same run", () => {
  it("adds what is new and says what it left", async () => {
    await send();
    await fs.writeFile(
      join(folder, "metrics.jsonl"),
      [...ROWS, { step: 11, reward: 0.75, step_time: 1 }].map((row) => `${JSON.stringify(row)}\n`).join(""),
    );
    const file = join(folder, "config.resolved.yaml");
    await fs.writeFile(file, (await fs.readFile(file, "utf8")).replace("max_steps: 10", "max_steps: 11"));
    expect(await send()).toMatchObject({
      created: false,
      sent: 2,
      present: VALUES.size,
      options: 0,
      kept: ["max_steps"],
    });
    expect(server.runs).toHaveLength(1);
    expect(server.runs[0]?.points).toHaveLength(VALUES.size + 2);
    expect(await send()).toMatchObject({ sent: 0, present: VALUES.size + 2 });
  });

  it("goes on where a failed one stopped", async () => {
    server.fault = (name, _request, response, count) => {
      if (name !== "POST runs/log-batch" || count < 2) return false;
      response.writeHead(400).end('{"error_code": "BAD_REQUEST", "message": "disk full"}');
      return true;
    };
    await expect(send()).rejects.toThrow(
      /^MLflow at http:\S+ refused runs\/log-batch: HTTP status 400 BAD_REQUEST \(disk full\)$/,
    );
    server.fault = () => false;
    expect(await send()).toMatchObject({ created: false, options: 0, sent: VALUES.size });
    expect(server.runs).toHaveLength(1);
  });

  it("is refused when steps were made anew", async () => {
    await send();
    await fs.writeFile(join(folder, "metrics.jsonl"), `${JSON.stringify({ ...ROWS[0], reward: 0.9, step: 10 })}\n`);
    const asked = server.asked.length;
    await expect(send()).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/made anew since/),
    });
    expect(server.asked.slice(asked)).not.toContain("POST runs/log-batch");
  });
});

describe("a server that is not ready", () => {
  it.each([429, 500, 503])("is asked again after status %i", async (status) => {
    server.fault = (_name, _request, response, count) => {
      if (count > 2) return false;
      response.writeHead(status).end("busy");
      return true;
    };
    await send();
    expect(stored().size).toBe(VALUES.size);
  });

  it("makes one run though the answer to its making is lost, by silence or a broken connection", async () => {
    for (const lose of [() => {}, (socket: { destroy(): void }) => socket.destroy()]) {
      server.afterEffect = (name, request, _response, count) => {
        if (name !== "POST runs/create" || count > 1) return false;
        lose(request.socket);
        return true;
      };
      expect(await send({}, { ...QUICK, timeoutMs: 400 })).toMatchObject({ created: true, sent: VALUES.size });
      expect(server.runs).toHaveLength(1);
      server.runs.length = 0;
      server.asked.length = 0;
    }
  });

  it("is given up after the last try, in one sentence", async () => {
    server.fault = (_name, _request, response) => {
      response.writeHead(503).end("<html>\nlater\n</html>");
      return true;
    };
    await expect(send()).rejects.toMatchObject({
      name: "EndpointError",
      message: `MLflow at ${server.address}: experiments/get-by-name: HTTP status 503 (<html> later </html>), 6 times; see to the server, then give the same command again, which goes on where this one stopped`,
    });
    expect(server.asked).toHaveLength(6);
  });
});

describe("access", () => {
  it.each([
    [{ MLFLOW_TRACKING_TOKEN: "tok-en" }, "Bearer tok-en"],
    [{ MLFLOW_TRACKING_USERNAME: "me", MLFLOW_TRACKING_PASSWORD: "se:cret é" }, "Basic bWU6c2U6Y3JldCDDqQ=="],
    [{}, undefined],
  ])("is asked for with what the environment has: %j", async (env, header) => {
    const headers = new Set<string | undefined>();
    server.fault = (_name, request) => {
      headers.add(request.headers.authorization);
      return false;
    };
    await send(env);
    expect([...headers]).toEqual([header]);
  });

  it("that is refused is the user's to mend, and the token is not said", async () => {
    server.fault = (_name, _request, response) => {
      response.writeHead(403).end("no access for tok-en");
      return true;
    };
    const error: unknown = await send({ MLFLOW_TRACKING_TOKEN: "tok-en" }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/\(no access for \[key\]\); set/),
    });
    expect(server.asked).toHaveLength(1);
  });

  it("follows no server to another place", async () => {
    server.fault = (_name, _request, response) => {
      response.writeHead(302, { Location: "http://127.0.0.1:9/login" }).end();
      return true;
    };
    await expect(send({ MLFLOW_TRACKING_TOKEN: "t" })).rejects.toThrow(/HTTP status 302; check that --tracking-uri/);
  });
});

it("makes names that MLflow takes, none twice", () => {
  const given = [
    "a@b",
    "a_at_b",
    "a:b",
    "a;b",
    "a_b",
    "/x",
    "x//y",
    "../z",
    "q/.",
    "é",
    "",
    "ok/n.a-m e",
    "l".repeat(300),
  ];
  const names = mlflowNames(given);
  expect([names.get("ok/n.a-m e"), names.get("a_b"), names.get("/x"), names.get("x//y")]).toEqual([
    "ok/n.a-m e",
    "a_b",
    "_/x",
    "x/_/y",
  ]);
  expect(new Set(names.values()).size).toBe(given.length);
  for (const name of names.values()) {
    expect(name).toMatch(/^[\w\-. /]{1,250}$/);
    expect(name.split("/").filter((part) => /^\.*$/.test(part))).toEqual([]);
  }
});

describe("the command", () => {
  it("says what it did, in words and as JSON", async () => {
    const io = testIo(false, { MLFLOW_TRACKING_URI: server.address });
    const argv = ["export-metrics", "mlflow", folder];
    expect(await runCli(argv, io)).toBe(0);
    expect(io.stdout.text).toContain("a new run in MLflow's experiment zerotir");
    expect(io.stdout.text).toContain("eval/nano/avg@1 to eval/nano/avg_at_1");
    const again = testIo();
    const named = [...argv, "--tracking-uri", `${server.address}/`, "--json"];
    expect(await runCli(named, again)).toBe(0);
    expect(JSON.parse(again.stdout.text)).toMatchObject({ event: "export-metrics", created: false, sent: 0 });
  });

  it.each([
    [[], /no server; name it with --tracking-uri/],
    [["--tracking-uri", "localhost"], /--tracking-uri localhost: not an address/],
    [["--tracking-uri", "http://me:word@host"], /^error: --tracking-uri at host: holds a name or password/],
  ])("refuses %j in one sentence", async (rest, sentence) => {
    const io = testIo();
    expect(await runCli(["export-metrics", "mlflow", folder, ...rest], io)).toBe(2);
    expect(io.stderr.text).toMatch(sentence);
    expect(io.stderr.lines()).toHaveLength(1);
  });

  it("refuses a folder without a run, and a run without a row", async () => {
    await fs.rm(join(folder, "evaluation.jsonl"));
    await fs.writeFile(join(folder, "metrics.jsonl"), "");
    for (const [path, sentence] of [
      [join(folder, "rollouts"), /not a run folder/],
      [folder, /has no row yet/],
    ] as const) {
      const io = testIo();
      const argv = ["export-metrics", "mlflow", path, "--tracking-uri", server.address];
      expect(await runCli(argv, io)).toBe(2);
      expect(io.stderr.text).toMatch(sentence);
    }
  });
});
