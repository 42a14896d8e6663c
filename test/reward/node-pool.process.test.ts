import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { nodeRewardPool } from "../../src/platform/node/reward-pool";
import { failedGrade, type GradeOptions, gradeTrajectory } from "../../src/reward/grade";
import { jobOf } from "./job";

const folder = mkdtempSync(join(tmpdir(), "zerotir-reward-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A worker that misbehaves on demand, in place of the built one. */
function fakeWorker(name: string, onMessage: string): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(
    file,
    `import { parentPort } from "node:worker_threads";
     parentPort.on("message", ({ job }) => { ${onMessage} });
     parentPort.postMessage({ kind: "ready" });`,
  );
  return file;
}

const job = (answer: string, gold = "7") => jobOf(`\\boxed{${answer}}`, { gold });
const torl: GradeOptions = { functions: [{ name: "torl", weight: 1 }] };

describe("Node reward pool", () => {
  it("grades as the calling thread would, in order of asking", async () => {
    const pool = await nodeRewardPool({ workers: 2, builtIn: torl });
    const jobs = Array.from({ length: 60 }, (_, i) => job(String(i % 10)));
    expect(await Promise.all(jobs.map((each) => pool.grade(each)))).toEqual(
      jobs.map((each) => gradeTrajectory(each, torl)),
    );
    await pool.close();
    await expect(pool.grade(job("7"))).rejects.toThrow(/closed/);
  });

  it("gives up a job that takes too long and goes on with the others", async () => {
    const answer =
      'parentPort.postMessage({ kind: "result", result: { numbers: { reward: 5 }, prediction: job.gold } });';
    const file = fakeWorker("slow", `if (job.gold === "hang") for (;;); ${answer}`);
    const pool = await nodeRewardPool({ workerFile: file, timeoutMs: 400 });
    const results = await Promise.all([
      pool.grade(job("1", "a")),
      pool.grade(job("2", "hang")),
      pool.grade(job("3", "b")),
    ]);
    expect(results.map((result) => result.prediction)).toEqual(["a", null, "b"]);
    expect(results[1]).toEqual(failedGrade(job("2", "hang")));
    expect(results[1]?.numbers.verifier_failed).toBe(1);
    await pool.close();
  });

  it("tries a job again when its thread dies, and only once more", async () => {
    const file = fakeWorker("dying", "process.exit(3);");
    const pool = await nodeRewardPool({ workerFile: file });
    expect(await pool.grade(job("7"))).toEqual(failedGrade(job("7")));
    await pool.close();
  });

  it("rejects when the worker cannot start, instead of grading everything wrong", async () => {
    const file = join(folder, "broken.mjs");
    writeFileSync(file, 'throw new Error("no such module");');
    const pool = await nodeRewardPool({ workerFile: file });
    await expect(pool.grade(job("7"))).rejects.toThrow(/did not start: no such module/);
    await pool.close();
  });

  it("rejects what is under way when it is closed", async () => {
    const pool = await nodeRewardPool({ workerFile: fakeWorker("silent", "") });
    const both = Promise.allSettled([pool.grade(job("1")), pool.grade(job("2"))]);
    await pool.close();
    for (const outcome of await both) expect(outcome.status).toBe("rejected");
  });

  it("says when the worker has not been built", async () => {
    await expect(nodeRewardPool({ workerFile: join(folder, "none.js") })).rejects.toThrow(
      /none.js is missing; run `npm run build`/,
    );
  });
});
