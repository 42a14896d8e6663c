import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "../../src/cli/program";
import { testIo } from "./support";
import { CONFIG, HOSTILE, VALUES, writeRun } from "./tracked-run-folder";

const PYTHON = ["python3", "/usr/bin/python3"].find((name) => spawnSync(name, ["--version"]).status === 0);

/** Records its calls beside itself as JSON lines. */
const STUB = `import json, pathlib
LOG = open(pathlib.Path(__file__).with_name("calls.jsonl"), "a", encoding="utf-8")
def say(call, **fields): LOG.write(json.dumps([call, fields]) + "\\n"); LOG.flush()
class Table:
    def __init__(self, columns, data): self.columns, self.data = columns, data
class Run:
    starting_step = START
    def log(self, figures, step): say("log", step=step, figures={k: v.__dict__ if isinstance(v, Table) else v for k, v in figures.items()})
    def finish(self, exit_code): say("finish", exit_code=exit_code)
def init(**fields): say("init", **fields); return Run()
`;

let root: string;
let run: string;
let output: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-wandb-"));
  run = join(root, `"""\n'; x=1 #\\`);
  output = join(root, "out");
  await writeRun(run);
});
afterEach(() => fs.rm(root, { recursive: true }));

const exportRun = (...rest: string[]) => {
  const io = testIo();
  return runCli(["export-metrics", "wandb", run, "--output", output, ...rest], io).then((code) => ({
    code,
    ...io,
  }));
};

const jsonLines = async (file: string): Promise<unknown[]> =>
  (await fs.readFile(file, "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));

it("writes a script that is the same for every run, and the data beside it", async () => {
  const { code, stdout } = await exportRun("--json", "--rollouts", "2");
  expect(code).toBe(0);
  expect(JSON.parse(stdout.text)).toMatchObject({ to: "wandb", steps: 4, rollouts: 2 });
  const source = join(import.meta.dirname, "../../src/run/tracking/upload_to_wandb.py");
  expect(await fs.readFile(join(output, "upload.py"), "utf8")).toBe(await fs.readFile(source, "utf8"));
  const config: unknown = JSON.parse(await fs.readFile(join(output, "config.json"), "utf8"));
  const hostile = HOSTILE.replace("\ud800", "\ufffd");
  expect(config).toEqual({
    ...CONFIG,
    system_prompt: hostile,
    reward_funcs: ["accuracy", hostile],
    tool_url: "http://***@host/run",
  });
  const all = await Promise.all((await fs.readdir(output)).map((name) => fs.readFile(join(output, name), "utf8")));
  expect(all.join("")).not.toContain("secret");
});

it("refuses a folder that is not empty", async () => {
  await exportRun();
  const { code, stderr } = await exportRun();
  expect(code).toBe(2);
  expect(stderr.text).toMatch(/out: is not empty; choose a new folder for --output\n$/);
});

/** Runs the script against the stub. @returns its output, and the calls */
async function upload(start: number, ...args: string[]) {
  const stub = join(root, "stub");
  await fs.rm(stub, { recursive: true, force: true });
  await fs.mkdir(stub);
  await fs.writeFile(join(stub, "wandb.py"), STUB.replace("START", String(start)));
  const env = { PATH: process.env.PATH ?? "", PYTHONPATH: stub, LC_ALL: "C", PYTHONDONTWRITEBYTECODE: "1" };
  const ended = spawnSync(PYTHON ?? "", [join(output, "upload.py"), ...args], { cwd: "/", encoding: "utf8", env });
  const calls = (await jsonLines(join(stub, "calls.jsonl"))) as [string, Record<string, unknown>][];
  return { ...ended, calls };
}

it.skipIf(PYTHON === undefined)("the script compiles, and hands every value to wandb", async () => {
  await exportRun();
  const file = join(output, "upload.py");
  expect(spawnSync(PYTHON ?? "", ["-m", "py_compile", file], { encoding: "utf8" })).toMatchObject({ status: 0 });
  const { status, stderr, stdout, calls } = await upload(0, "--project", "p'; \"q");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toBe("4 steps uploaded, 0 were there already\n");
  expect(calls.map(([name]) => name)).toEqual(["init", "log", "log", "log", "log", "finish"]);
  expect(calls[0]?.[1]).toMatchObject({
    project: "p'; \"q",
    entity: null,
    name: `"""\n'; x=1 #\\`,
    id: expect.stringMatching(/^[0-9a-f]{16}$/),
    resume: "allow",
    config: { max_steps: 10, top_k: null, system_prompt: HOSTILE.replace("\ud800", "\ufffd") },
  });
  expect(calls.at(-1)?.[1]).toEqual({ exit_code: 0 });
  const logged = calls.flatMap(([name, { step, figures }]) =>
    name === "log"
      ? Object.entries(figures as object).map(([key, value]): [string, unknown] => [`${key} of ${step}`, value])
      : [],
  );
  const table = logged.find(([key]) => key === "rollouts of 10")?.[1];
  const values = logged.filter(([key]) => key !== "rollouts of 10");
  expect(new Map(values.sort())).toEqual(new Map([...VALUES].sort()));
  expect(table).toMatchObject({
    columns: expect.arrayContaining(["prompt", "response", "reward", "python_calls"]),
    data: [0, 1, 2].map((sample) =>
      expect.arrayContaining([sample, HOSTILE.replace("\ud800", "\ufffd"), "```python\nprint(1)\n```", 1, -0.5, 2]),
    ),
  });
});

it.skipIf(PYTHON === undefined)("the script adds only the steps that wandb does not have", async () => {
  await exportRun("--rollouts", "0");
  const { stdout, calls } = await upload(2, "--name", "other");
  expect(stdout).toBe("2 steps uploaded, 2 were there already\n");
  expect(calls.flatMap(([name, { step }]) => (name === "log" ? [step] : []))).toEqual([2, 10]);
  expect(calls[0]?.[1]).toMatchObject({ name: "other" });
});

it.skipIf(PYTHON === undefined)("the script says what to do where wandb is missing", async () => {
  await exportRun();
  const isolated = ["-S", "-I", join(output, "upload.py")];
  const { status, stderr } = spawnSync(PYTHON ?? "", isolated, { cwd: "/", encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toBe("the package wandb is missing; install it with: python3 -m pip install wandb\n");
});
