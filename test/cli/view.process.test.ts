import * as fs from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/program";
import { RUN_ELEMENT } from "../../src/report/html/embed";
import type { RunData } from "../../src/report/html/run-data";
import { writeReport } from "../../src/run/view/report-file";
import { type ServedRun, serveRun } from "../../src/run/view/server";
import { hostileRun } from "../browser/hostile-run";
import { testIo } from "./support";

let run: string;
let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-view-"));
  run = hostileRun(6);
});
afterAll(async () => {
  for (const folder of [root, run]) await fs.rm(folder, { recursive: true, force: true });
});

async function view(argv: string[], io = testIo()) {
  const code = await runCli(["view", ...argv], io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

async function dataOf(file: string): Promise<RunData> {
  const text = await fs.readFile(file, "utf8");
  return JSON.parse(new RegExp(`id="${RUN_ELEMENT}">(.*)</script>`).exec(text)?.[1] ?? "");
}

describe("zerotir view --output", () => {
  it("writes a file and says what is in it", async () => {
    const file = join(root, "a/report.html");
    const { code, out } = await view([run, "--output", file, "--rollouts-per-step", "4", "--json"]);
    expect(code).toBe(0);
    const { size } = await fs.stat(file);
    expect(JSON.parse(out)).toEqual({ event: "report", path: file, bytes: size, rolloutSteps: 6, rollouts: 24 });
    const data = await dataOf(file);
    expect(data.metrics.steps).toEqual([1, 2, 3, 4, 5, 6]);
    expect(data.validation).toMatchObject([{ step: 0, label: "before training" }]);
    expect(Object.values(data.validation[0]?.figures ?? {})).toEqual([0.5]);
    expect(data.rolloutRule).toContain("Of each step's 8 rollouts these are all 4 of the first 1 prompts");
    expect(data.state).toBe("6 steps");
    expect(data.config).toContainEqual(["tool_url", "http://***@127.0.0.1/"]);
    expect((await fs.readdir(join(root, "a"))).length).toBe(1);
  });

  it("stays below the size it may have, and says so in the page", async () => {
    const file = join(root, "small.html");
    const long = hostileRun(40, 64);
    try {
      const all = await writeReport(long, file, { rolloutsPerStep: 64, maxSizeMb: 100 });
      expect(all.bytes).toBeGreaterThan(4e6);
      expect(all.rollouts).toBe(40 * 64);
      const small = await writeReport(long, file, { rolloutsPerStep: 64, maxSizeMb: 1 });
      expect(small.bytes).toBeLessThanOrEqual(1e6);
      expect(small.bytes).toBeGreaterThan(4e5);
      const data = await dataOf(file);
      expect(data.rolloutSteps[0]?.step).toBe(1);
      expect(data.rolloutSteps.at(-1)?.step).toBe(40);
      expect(data.rolloutRule).toContain(`Rollouts of ${small.rolloutSteps} of 40 steps`);
      expect(data.rolloutRule).toContain("1 MB");
    } finally {
      await fs.rm(long, { recursive: true, force: true });
    }
  });

  it("tells tokens by their text, their log-prob and their mask", async () => {
    const file = join(root, "tokens.html");
    await writeReport(run, file, { rolloutsPerStep: 1, maxSizeMb: 1 });
    const text = await fs.readFile(file, "utf8");
    const [rollout] = JSON.parse(/data-step="1">(.*)<\/script>/.exec(text)?.[1] ?? "");
    expect(rollout.tokens.slice(1, 10).join("")).toBe("</script>");
    expect(rollout.mask.slice(0, 3)).toBe("100");
    expect(rollout.logprobs[0]).toBe(-0.5);
  });

  it.each([
    [["nowhere"], "nowhere: no such folder; expected a run folder such as runs/NAME"],
    [[tmpdir()], "it has no metrics.jsonl"],
    [[".", "--output", "x.html", "--port", "80"], "leave off --port and --open, or --output"],
    [[".", "--port", "x"], "Expected a whole number from 1 to 65535"],
  ])("explains %j", async (argv, why) => {
    const { code, err } = await view(argv);
    expect(err).toContain(why);
    expect(err.split("\n").length).toBe(2);
    expect(code).toBe(2);
  });
});

describe("zerotir view", () => {
  it("serves until Ctrl-C, then lets go of the port", async () => {
    const io = testIo();
    const ended = view([run, "--json"], io);
    await expect.poll(() => io.stdout.text).toContain("serving");
    const { address } = JSON.parse(io.stdout.text);
    expect((await fetch(address)).status).toBe(200);
    const watching = await fetch(`${address}events`);
    io.stop();
    expect(await ended).toMatchObject({ code: 0 });
    await expect(watching.text()).rejects.toThrow();
    await expect(fetch(address)).rejects.toThrow();
  });
});

describe("the server", () => {
  let served: ServedRun;
  beforeAll(async () => {
    await fs.writeFile(join(root, "secret"), "secret");
    await fs.symlink(join(root, "secret"), join(run, "rollouts/step_00099.jsonl"));
    await fs.writeFile(join(run, ".hidden"), "secret");
    served = await serveRun(run, 0, 4);
  });
  afterAll(() => served.close());

  /** Sends a path as it is: fetch would tidy it up. */
  function get(path: string, headers: Record<string, string> = {}, method = "GET") {
    const { port, host } = new URL(served.address);
    return new Promise<{ status: number | undefined; body: string; headers: Record<string, unknown> }>((done, fail) => {
      const asked = request({ host: "127.0.0.1", port, path, method, headers: { host, ...headers } }, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          body += part;
        });
        response.on("end", () => done({ status: response.statusCode, body, headers: response.headers }));
      });
      asked.on("error", fail);
      asked.end();
    });
  }

  it("answers with the page, the run, its rollouts and its files", async () => {
    const page = await get("/");
    expect(page.body).toContain("default-src 'none'; connect-src 'self'; script-src 'sha256-");
    expect(page.headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    const data = JSON.parse((await get("/run.json")).body);
    expect(data.rolloutSteps).toContainEqual({ step: 6, shown: 4 });
    expect(JSON.parse((await get("/rollouts/2.json")).body)).toHaveLength(4);
    expect(JSON.parse((await get("/rollouts/77.json")).body)).toEqual([]);
    const metrics = await get("/files/metrics.jsonl");
    expect(metrics.body).toBe(await fs.readFile(join(run, "metrics.jsonl"), "utf8"));
    expect(metrics.headers["content-type"]).toContain("text/plain");
  });

  it.each([
    "/files/../secret",
    "/files/..%2fsecret",
    "/files/rollouts/../../secret",
    "/files/rollouts/step_00099.jsonl",
    "/files/.hidden",
    "/files/checkpoints/step_00001/tokenizer.json",
    "/files//etc/passwd",
    "/../../etc/passwd",
    "//etc/passwd",
    "/rollouts/../1.json",
    "/rollouts/1.json?x",
    "/run.json%00",
  ])("has nothing at %s", async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(404);
    expect(body).not.toContain("secret");
  });

  it("refuses other names for this machine, other methods, and scripts of other sites", async () => {
    const { port } = new URL(served.address);
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:${Number(port) + 1}`,
      "127.0.0.1.evil.example",
    ])
      expect((await get("/run.json", { host })).status, host).toBe(403);
    expect((await get("/run.json", { host: `localhost:${port}` })).status).toBe(200);
    for (const method of ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
      expect((await get("/run.json", {}, method)).status, method).toBe(405);
    for (const site of ["cross-site", "same-site"])
      expect((await get("/run.json", { "sec-fetch-site": site, "sec-fetch-mode": "no-cors" })).status, site).toBe(403);
    expect((await get("/", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" })).status).toBe(200);
    expect((await get("/run.json", { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" })).status).toBe(200);
  });

  it("listens on the loopback address only, and says when a port is taken", async () => {
    expect(served.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const port = Number(new URL(served.address).port);
    await expect(serveRun(run, port, 4)).rejects.toThrow(`--port ${port}: taken by another program`);
  });
});
