import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MARKER, writeFolder } from "../../src/platform/node/files";
import { holdNewRunFolder, holdRunFolder, newRunFolder, resumePoint } from "../../src/platform/node/run-place";

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
    expect(await resumePoint("latest", join(root, "a"))).toEqual({ checkpoint: sixth, runFolder: join(root, "a") });
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
    expect(await fs.readFile(join(path, ".lock"), "utf8")).toBe(String(process.pid));
    await held.release();
    expect(await fs.readdir(path)).toEqual([]);
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
