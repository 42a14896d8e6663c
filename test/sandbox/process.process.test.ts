import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterEach, expect, test } from "vitest";
import { isAlive } from "../../src/platform/node/lock";
import { createNodeSandbox, type NodeSandbox } from "../../src/sandbox/node/sandbox";
import { runner, until } from "./helper";

const root = join(import.meta.dirname, "../..");
let engine: NodeSandbox | undefined;
const run = runner(() => {
  if (engine === undefined) throw new Error("no engine");
  return engine;
});
afterEach(async () => {
  await engine?.close();
  engine = undefined;
});

/** Long enough to be killed in the middle, on a slow machine too. */
const SLOW = "s = 0\nfor i in range(10**6): s += i\nprint(s)";

function pidOf(sandbox: NodeSandbox): number {
  const { pid } = sandbox;
  if (pid === undefined) throw new Error("the sandbox has no process");
  return pid;
}

test("a call whose process is killed is run again in a new one", async () => {
  engine = await createNodeSandbox({ workerCount: 1 });
  const first = pidOf(engine);
  const result = run(SLOW);
  process.kill(first, "SIGKILL");
  expect(await result).toMatchObject({ status: "ok", stdout: "499999500000\n" });
  expect(pidOf(engine)).not.toBe(first);
});

test("a process whose memory has grown is replaced between calls, and no call notices", async () => {
  engine = await createNodeSandbox({ workerCount: 2, residentGrowthMb: -10_000 });
  const results = await Promise.all([1, 2, 3, 4].map((i) => run(`print(${i})`)));
  expect(results.map(({ status, stdout }) => `${status} ${stdout}`)).toEqual(["ok 1\n", "ok 2\n", "ok 3\n", "ok 4\n"]);
  expect(engine.statistics()).toMatchObject({ calls: 4, ok: 4, retries: 0, processesLost: 0 });
  expect(engine.statistics().processesRenewed).toBeGreaterThanOrEqual(2);
});

test("a call whose process is killed twice is a crash, and the next call works", async () => {
  engine = await createNodeSandbox({ workerCount: 1 });
  const sandbox = engine;
  const first = pidOf(sandbox);
  const result = run("while True: pass");
  process.kill(first, "SIGKILL");
  expect(
    await until(() => sandbox.waiting().running === 1 && sandbox.pid !== first && sandbox.pid !== undefined, 30_000),
  ).toBe(true);
  process.kill(pidOf(sandbox), "SIGKILL");
  expect(await result).toMatchObject({ status: "crash", stderr: "the Python sandbox process died: SIGKILL\n" });
  expect((await run("print('again')")).stdout).toBe("again\n");
});

test("close ends the process and open calls; calls after it are refused", async () => {
  engine = await createNodeSandbox({ workerCount: 1 });
  const pid = pidOf(engine);
  expect(isAlive(pid)).toBe(true);
  const open = [run("while True: pass"), run("print(1)")];
  await engine.close();
  expect((await Promise.all(open)).map(({ status }) => status)).toEqual(["crash", "crash"]);
  expect(isAlive(pid)).toBe(false);
  await expect(run("print(1)")).rejects.toThrow("closed");
});

test.runIf(process.platform === "linux")("the process is out of reach of the terminal's Ctrl-C", async () => {
  engine = await createNodeSandbox({ workerCount: 1 });
  const pid = pidOf(engine);
  // Behind the name in brackets: state, parent, process group.
  const [, , group] = (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1] ?? "").split(" ");
  expect(group).toBe(String(pid));
});

test("missing assets: one sentence that says what to do", async () => {
  await expect(createNodeSandbox({ assetFolder: "/nowhere" })).rejects.toMatchObject({
    name: "UserError",
    message: "/nowhere/manifest.json can't be read. Build the Python assets: npm run build",
  });
});

test("the process does not outlive a parent that is killed, nor keep one alive that has finished", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sandbox-"));
  try {
    const pool = join(root, "src/sandbox/node/sandbox.ts");
    const output = { outDir: folder, ssr: pool, rollupOptions: { output: { entryFileNames: "pool.mjs" } } };
    await build({ configFile: false, root, logLevel: "error", build: { ...output, emptyOutDir: false } });
    const script = (ending: string) => `
      import { createNodeSandbox } from "./pool.mjs";
      const childPath = ${JSON.stringify(join(root, "dist/workers/sandbox-child.js"))};
      const sandbox = await createNodeSandbox({ workerCount: 1, childPath, assetFolder: ${JSON.stringify(join(root, "dist/python"))} });
      const call = { timeoutMs: 60000, memoryMb: 256, maxOutputBytes: 1000, seed: "" };
      process.stdout.write(sandbox.pid + "\\n");
      ${ending}
    `;
    const cases = [
      { ending: 'await sandbox.run({ ...call, code: "while True: pass" });', kill: true },
      { ending: 'await sandbox.run({ ...call, code: "print(1)" });', kill: false },
    ];
    for (const [index, { ending, kill }] of cases.entries()) {
      const path = join(folder, `parent-${index}.mjs`);
      writeFileSync(path, script(ending));
      const parent = spawn(process.execPath, [path], { stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(parent, "exit");
      const [line] = await once(parent.stdout, "data");
      const pid = Number(String(line));
      expect(pid).toBeGreaterThan(0);
      if (kill) {
        expect(isAlive(pid)).toBe(true);
        parent.kill("SIGKILL");
      }
      const [code] = await ended;
      if (!kill) expect(code).toBe(0);
      expect(await until(() => !isAlive(pid), 10_000)).toBe(true);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
