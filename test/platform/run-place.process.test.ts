import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveTrainOptions } from "../../src/options/train";
import { MARKER, writeFolder } from "../../src/platform/node/files";
import { lockText } from "../../src/platform/node/lock";
import { holdNewRunFolder, holdRunFolder, newRunFolder, resumePoint } from "../../src/platform/node/run-place";
import { train } from "../../src/run/train";
import { silentEvents } from "../../src/session/events";

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-place-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

const save = (path: string) => writeFolder(join(root, path), (writer) => writer.write("trainer_state.json", "{}"));

describe("newRunFolder", () => {
  it("is named after data, model and time, in plain characters", () => {
    const at = new Date("2026-03-04T05:06:07.890Z");
    expect(newRunFolder("data/gsm 8k.jsonl", "models/Qwen2.5-0.5B", at)).toBe(
      join("runs", "gsm-8k--Qwen2.5-0.5B--20260304-050607"),
    );
    expect(newRunFolder("nano", "../..", at)).toBe(join("runs", "nano-----20260304-050607"));
  });
});

describe("resumePoint", () => {
  it("goes on where the checkpoint is, or where --output-dir says", async () => {
    await save("a/checkpoints/step_00003");
    await save("a/checkpoints/step_00006");
    const [third, sixth] = [join(root, "a/checkpoints/step_00003"), join(root, "a/checkpoints/step_00006")];
    expect(await resumePoint(third, null)).toEqual({ checkpoint: third, runFolder: join(root, "a") });
    expect(await resumePoint(third, "b")).toEqual({ checkpoint: third, runFolder: "b" });
    const point = { checkpoint: sixth, runFolder: join(root, "a") };
    expect(await resumePoint("latest", join(root, "a"))).toEqual({ ...point, damaged: [] });
    // A later one without its end.
    await fs.mkdir(join(root, "a/checkpoints/step_00009"));
    expect(await resumePoint("latest", join(root, "a"))).toEqual({ ...point, damaged: ["step_00009"] });
  });

  it("refuses what it cannot go on from", async () => {
    await save("lone");
    await save("a/checkpoints/step_00003");
    await fs.rm(join(root, "a/checkpoints/step_00003", MARKER));
    await expect(resumePoint("latest", null)).rejects.toThrow(/latest needs --output-dir/);
    await expect(resumePoint("latest", join(root, "a"))).rejects.toThrow(/holds no complete checkpoint/);
    await expect(resumePoint(join(root, "none"), null)).rejects.toThrow(
      /not a complete checkpoint; expected a folder such as/,
    );
    await expect(resumePoint(join(root, "a/checkpoints/step_00003"), null)).rejects.toThrow(
      /not a complete checkpoint/,
    );
    await expect(resumePoint(join(root, "lone"), null)).rejects.toThrow(/is in no run folder; say where/);
  });
});

describe("a run folder in use", () => {
  it("is refused while the other process lives, and only then", async () => {
    const path = join(root, "run");
    await fs.mkdir(path);
    const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "ignore" });
    const ended = once(other, "exit");
    await fs.writeFile(join(path, ".lock"), String(other.pid));
    await expect(holdRunFolder(path)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringContaining(`process ${other.pid} writes a run into it`),
    });
    other.kill("SIGKILL");
    await ended;
    const held = await holdRunFolder(path);
    expect((await fs.readFile(join(path, ".lock"), "utf8")).split(" ")[0]).toBe(String(process.pid));
    // This process itself holds it now.
    await expect(holdRunFolder(path)).rejects.toThrow(/this process writes a run into it/);
    await held.release();
    expect(await fs.readdir(path)).toEqual([]);
  });

  it("is free when another process has the number of the one that died", async () => {
    const path = join(root, "run");
    await fs.mkdir(path);
    const [number = "", boot = "", start = ""] = lockText().split(" ");
    for (const left of [
      `${number} ${boot} ${Number(start) - 1}`,
      `${number} 00000000-0000-0000-0000-000000000000 ${start}`,
      // Of a process that died, or found the disk full, before it had written.
      "",
    ]) {
      await fs.writeFile(join(path, ".lock"), left);
      const held = await holdRunFolder(path);
      await held.release();
    }
    await fs.writeFile(join(path, ".lock"), `${number} ${boot} ${start}`);
    await expect(holdRunFolder(path)).rejects.toThrow(/this process writes a run into it/);
  });

  it.skipIf(process.platform !== "linux")(
    "is free when its process has died and nobody has waited for it",
    async () => {
      const path = join(root, "run");
      await fs.mkdir(path);
      // The second program takes the place of the shell and knows nothing of the shell's child.
      const parent = spawn("sh", ["-c", "sh -c : & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
      const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once("data", resolve)));
      const state = async () => / ([A-Z]) /.exec(await fs.readFile(`/proc/${pid}/stat`, "utf8"))?.[1];
      while ((await state()) !== "Z") await new Promise((resolve) => setImmediate(resolve));
      await fs.writeFile(join(path, ".lock"), lockText(pid));
      await (await holdRunFolder(path)).release();
      parent.kill("SIGKILL");
      await once(parent, "exit");
    },
  );

  it("is taken by one of several at once", async () => {
    const path = join(root, "run");
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => holdRunFolder(path)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ name: "UserError" });
  });

  it("on a read-only file system is refused in one sentence, and a run there can still be resumed elsewhere", async (context) => {
    const disk = join(root, "disk");
    await save("disk-before/checkpoints/step_00003");
    await fs.mkdir(disk);
    try {
      execFileSync("mount", ["--bind", join(root, "disk-before"), disk], { stdio: "ignore" });
      execFileSync("mount", ["-o", "remount,ro,bind", disk], { stdio: "ignore" });
    } catch {
      context.skip("nothing can be mounted here");
    }
    try {
      await expect(holdRunFolder(disk)).rejects.toMatchObject({
        name: "UserError",
        message: `cannot write into ${disk}: the file system is read-only; choose another folder`,
      });
      const checkpoint = join(disk, "checkpoints/step_00003");
      expect(await resumePoint("latest", disk)).toMatchObject({ checkpoint });
      expect(await resumePoint(checkpoint, "elsewhere")).toEqual({ checkpoint, runFolder: "elsewhere" });
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  it("is not resumed while its run goes on", async () => {
    await save("run/checkpoints/step_00003");
    const path = join(root, "run");
    const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "ignore" });
    await once(other, "spawn");
    await fs.writeFile(join(path, ".lock"), lockText(other.pid));
    const options = resolveTrainOptions([
      {
        source: "the test",
        spelling: "flag",
        values: { preset: "nano", outputDir: path, resumeFromCheckpoint: "latest" },
      },
    ]);
    const context = {
      announce: () => expect.unreachable(),
      events: silentEvents,
      signal: new AbortController().signal,
    };
    await expect(train(options, context)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringContaining(`process ${other.pid} writes a run into it`),
    });
    expect((await fs.readdir(path)).sort()).toEqual([".lock", "checkpoints"]);
    const ended = once(other, "exit");
    other.kill("SIGKILL");
    await ended;
  });

  it("gets another name for a second run of the same second, and goes when nothing was written", async () => {
    const first = await holdNewRunFolder(join(root, "runs/a"));
    const second = await holdNewRunFolder(join(root, "runs/a"));
    expect([first.path, second.path]).toEqual([join(root, "runs/a"), join(root, "runs/a-2")]);
    await fs.writeFile(join(first.path, "config.resolved.yaml"), "");
    await Promise.all([first.release(), second.release()]);
    expect(await fs.readdir(join(root, "runs"))).toEqual(["a"]);
  });

  it("is named when it cannot be made", async () => {
    await fs.writeFile(join(root, "file"), "");
    await expect(holdRunFolder(join(root, "file"))).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/cannot write into .*file: a part of the path is a file/),
    });
  });
});
