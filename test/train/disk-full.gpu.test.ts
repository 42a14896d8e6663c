/**
 * A disk that is full at any moment of a run: one sentence, nothing half-written that counts, and the same bytes once
 * there is room.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors";
import { latestCheckpoint } from "../../src/platform/node/files";
import { nodeRunFiles } from "../../src/platform/node/run-files";
import type { RunFiles } from "../../src/session/run-folder";
import { deterministicFiles, prepare, tinyRun } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-full-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const values = {
  ...{ maxSteps: 3, saveSteps: 1, saveTotalLimit: 2, promptsPerStep: 2, numGenerations: 2, logCompletions: false },
  ...{ metricForBestModel: "reward", maxStaleness: 1 },
};

/**
 * The disk is full for the n-th thing that is written, counted from 1: half of a line, the second file of a folder, a
 * new file.
 */
function fullAt(n: number): (path: string) => RunFiles {
  let count = 0;
  const isFull = () => ++count === n;
  return (path) => {
    const files = nodeRunFiles(path);
    const fail = (name: string) => {
      throw new UserError(`${name}: the disk is full`);
    };
    return {
      ...files,
      async append(name, text) {
        const full = isFull();
        await files.append(name, full ? text.slice(0, text.length / 2) : text);
        if (full) fail(name);
      },
      async write(name, text) {
        if (isFull()) fail(name);
        await files.write(name, text);
      },
      async rename(from, to) {
        if (isFull()) fail(from);
        await files.rename(from, to);
      },
      async writeFolder(name, fill) {
        const full = isFull();
        let written = 0;
        await files.writeFolder(name, (writer) =>
          fill({
            async write(file, content) {
              if (full && written++ === 1) fail(`${name}/${file}`);
              await writer.write(file, content);
            },
          }),
        );
      },
    };
  };
}

const everything = async (name: string) => ({
  files: await deterministicFiles(join(root, name), 3),
  best: await fs.readFile(join(root, name, "checkpoints/best.json"), "utf8"),
  names: (await fs.readdir(join(root, name, "checkpoints"))).sort(),
});

/**
 * Runs to its end or to a full disk, from the newest checkpoint where there is one.
 *
 * @returns whether it came to its end
 */
async function attempt(name: string, n: number): Promise<boolean> {
  const latest = await latestCheckpoint(join(root, name));
  if (latest === undefined) await fs.rm(join(root, name), { recursive: true, force: true });
  const settings = {
    values: { ...values, ...(latest !== undefined && { resumeFromCheckpoint: latest }) },
    runFiles: fullAt(n),
  };
  try {
    await tinyRun(root, name, settings);
    return true;
  } catch (error) {
    const { message } = error instanceof UserError ? error : { message: String(error) };
    if (latest !== undefined && /at step 3 already/.test(message)) return true;
    expect(message).toMatch(/the disk is full$/);
    return false;
  }
}

test("at each thing that a run writes, and at one that its resume writes", async () => {
  await tinyRun(root, "whole", { values });
  const expected = await everything("whole");
  let n = 1;
  for (; !(await attempt("full", n)); n++) {
    await attempt("full", 1 + (n % 4));
    while (!(await attempt("full", Number.POSITIVE_INFINITY))) expect.unreachable();
    expect(await everything("full"), `full at ${n}`).toEqual(expected);
    await fs.rm(join(root, "full"), { recursive: true, force: true });
  }
  // Options and metrics, then rollouts, row, best and checkpoint of three steps.
  expect(n).toBe(2 + 4 * 3 + 1);
}, 300_000);

test("while a run goes back to an earlier checkpoint: every checkpoint that counts has its rows", async () => {
  await tinyRun(root, "forth", { values: { ...values, saveTotalLimit: null } });
  const failures: string[] = [];
  for (let n = 1; n <= 5; n++) {
    const back = join(root, `back-${n}`);
    await fs.cp(join(root, "forth"), back, { recursive: true });
    const resumeFromCheckpoint = join(back, "checkpoints/step_00001");
    const settings = { values: { ...values, maxSteps: 2, resumeFromCheckpoint }, runFiles: fullAt(n) };
    await expect(tinyRun(root, `back-${n}`, settings)).rejects.toThrow(/the disk is full/);
    const newest = Number((await latestCheckpoint(back))?.slice(-5));
    const rows = (await fs.readFile(join(back, "metrics.jsonl"), "utf8")).trimEnd().split("\n").length;
    if (rows < newest) failures.push(`full at ${n}: ${rows} rows, checkpoint of step ${newest}`);
  }
  expect(failures).toEqual([]);
});

/** A file system of a few megabytes; undefined where this process may not make one. */
async function smallDisk(bytes: number): Promise<string | undefined> {
  const path = join(root, "disk");
  await fs.mkdir(path);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "none", path], { stdio: "ignore" });
    return path;
  } catch {
    return undefined;
  }
}

describe("a real file system", () => {
  test("says what it takes and what there is; after room was made the run goes on to the same bytes", async (context) => {
    await tinyRun(root, "roomy", { values });
    const checkpoint = join(root, "roomy/checkpoints/step_00003");
    const sizes = await Promise.all((await fs.readdir(checkpoint)).map((file) => fs.stat(join(checkpoint, file))));
    const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
    const disk = await smallDisk(Math.round(1.7 * bytes));
    if (disk === undefined) context.skip("no tmpfs can be mounted here");
    const path = join(disk ?? "", "run");
    try {
      const runFiles = () => nodeRunFiles(path);
      await expect(tinyRun(root, "small", { values, runFiles })).rejects.toMatchObject({
        name: "UserError",
        message: expect.stringMatching(
          /^cannot write .*step_00002: the disk is full; this takes [\d.]+ [kMG]?B and [\d.]+ [kMG]?B are free, so free some space/,
        ),
      });
      expect(await fs.readdir(join(path, "checkpoints"))).toEqual(expect.not.arrayContaining(["step_00002"]));
      execFileSync("mount", ["-o", `remount,size=${4 * bytes}`, disk ?? ""]);
      const latest = await latestCheckpoint(path);
      expect(latest).toBe(join(path, "checkpoints/step_00001"));
      await tinyRun(root, "small", { values: { ...values, resumeFromCheckpoint: latest }, runFiles });
      expect(await deterministicFiles(path, 3)).toEqual(await deterministicFiles(join(root, "roomy"), 3));
    } finally {
      execFileSync("umount", [disk ?? ""]);
    }
  });
});
