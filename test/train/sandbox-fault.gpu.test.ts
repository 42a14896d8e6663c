/** Training goes on when the sandbox process is killed under it. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PythonEngine } from "../../src/sandbox/engine";
import { createNodeSandbox } from "../../src/sandbox/node/sandbox";
import { deterministicFiles, prepare, tinyRun } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-fault-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

/** Trains with Python in a process of its own, which is killed as soon as it has been given its `victims`-th calls. */
async function trainAndKill(name: string, victims: readonly number[]) {
  const sandbox = await createNodeSandbox({ workerCount: 2 });
  let calls = 0;
  const engine: PythonEngine = {
    run: (call) => {
      const result = sandbox.run(call);
      if (victims.includes(++calls) && sandbox.pid !== undefined) process.kill(sandbox.pid, "SIGKILL");
      return result;
    },
    waiting: () => sandbox.waiting(),
    close: () => sandbox.close(),
  };
  try {
    const run = await tinyRun(root, name, { engine });
    return { ...run, statistics: sandbox.statistics() };
  } finally {
    await sandbox.close();
  }
}

test("kill -9 in the middle of two steps: they end, the calls are run again, and every byte is as if nothing was", async () => {
  const calm = await trainAndKill("calm", []);
  for (const step of calm.steps.slice(0, 2)) expect(step["tools/calls"]).toBeGreaterThanOrEqual(2);
  expect(calm.statistics).toMatchObject({ processesLost: 0, retries: 0 });

  const inSecondStep = (calm.steps[0]?.["tools/calls"] ?? 0) + 2;
  const killed = await trainAndKill("killed", [2, inSecondStep]);
  expect(killed.summary).toMatchObject({ outcome: "finished", step: 4 });
  expect(killed.statistics).toMatchObject({ processesLost: 2, crashes: 0, calls: calm.statistics.calls });
  expect(killed.statistics.retries).toBeGreaterThanOrEqual(2);
  expect(killed.steps.map((row) => row["tools/killed"])).toEqual([0, 0, 0, 0]);
  expect(await deterministicFiles(killed.path, 4)).toEqual(await deterministicFiles(calm.path, 4));
});
