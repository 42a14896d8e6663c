import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isComplete, latestCheckpoint, MARKER, nodeFolder, writeFolder } from "../../src/platform/node/files";

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-files-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

const step = (n: number) => join(root, "checkpoints", `step_${String(n).padStart(5, "0")}`);
const save = (n: number, text: string) =>
  writeFolder(step(n), async (writer) => {
    await writer.write("config.json", text);
    await writer.write("model.safetensors", new Uint8Array([1, 2, 3]));
  });
const hidden = async () => (await fs.readdir(join(root, "checkpoints"))).filter((name) => name.startsWith("."));

describe("nodeFolder", () => {
  it("reads ranges and knows what is not there", async () => {
    await fs.writeFile(join(root, "a"), "0123456789");
    const folder = nodeFolder(root);
    const source = await folder.open("a");
    expect(source?.size).toBe(10);
    expect(new TextDecoder().decode(await source?.read(3, 4))).toBe("3456");
    expect(await folder.open("b")).toBeUndefined();
    expect(await folder.list()).toEqual(["a"]);
    expect(await nodeFolder(join(root, "none")).list()).toBeUndefined();
    expect(await nodeFolder(join(root, "a")).list()).toBeUndefined();
    for (const name of ["../a", "x/a", "..", "", "a\0b"])
      await expect(folder.open(name)).rejects.toThrow(/not the plain name/);
  });
});

describe("writeFolder", () => {
  it("writes a marked folder, and replaces one of the same name", async () => {
    await save(1, "one");
    expect((await fs.readdir(step(1))).sort()).toEqual([MARKER, "config.json", "model.safetensors"]);
    await save(1, "uno");
    expect(await fs.readFile(join(step(1), "config.json"), "utf8")).toBe("uno");
    expect(await isComplete(step(1))).toBe(true);
    expect(await hidden()).toEqual([]);
  });

  it("leaves the earlier folder as it was when filling fails", async () => {
    await save(1, "one");
    const filling = writeFolder(step(1), async (writer) => {
      await writer.write("config.json", "uno");
      throw new Error("device lost");
    });
    await expect(filling).rejects.toThrow("device lost");
    expect(await fs.readFile(join(step(1), "config.json"), "utf8")).toBe("one");
    expect(await hidden()).toEqual([]);
  });

  it("puts back what a process that had this one's number had moved aside, and clears what it left half-written", async () => {
    await save(1, "one");
    await fs.rename(step(1), join(root, "checkpoints", `.step_00001.${process.pid}.old`));
    await fs.mkdir(join(root, "checkpoints", `.step_00001.${process.pid}.tmp`));
    expect(await latestCheckpoint(root)).toBe(step(1));
    expect(await hidden()).toEqual([]);
    // What this process is writing itself is left alone.
    await writeFolder(step(2), async (writer) => {
      expect(await latestCheckpoint(root)).toBe(step(1));
      await writer.write("config.json", "two");
    });
    expect(await latestCheckpoint(root)).toBe(step(2));
  });

  it("says that the disk is full, in one sentence", async () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    await save(1, "one");
    const filling = writeFolder(step(2), async () => {
      throw full;
    });
    await expect(filling).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/the disk is full; free/),
    });
    expect(await latestCheckpoint(root)).toBe(step(1));
  });

  it("says that a part of the path is a file", async () => {
    await fs.writeFile(join(root, "checkpoints"), "");
    await expect(save(1, "one")).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/is a file/),
    });
  });

  it.skipIf(process.platform === "win32")("loses nothing to a kill in the middle of a save", async () => {
    await save(1, "one");
    const library = join(root, "library");
    await build({
      configFile: false,
      logLevel: "silent",
      build: {
        ssr: "src/platform/node/files.ts",
        outDir: library,
        rollupOptions: { output: { entryFileNames: "files.mjs" } },
      },
    });
    const program = `
      import { writeFolder } from ${JSON.stringify(join(library, "files.mjs"))};
      async function* endless() {
        for (;;) {
          yield new Uint8Array(1000);
          await new Promise((resolve) => setTimeout(resolve, 2));
          console.log("wrote");
        }
      }
      await writeFolder(process.argv[1], async (writer) => {
        await writer.write("config.json", "half");
        await writer.write("model.safetensors", endless());
      });`;
    for (const target of [step(1), step(2)]) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", program, target], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve) => child.stdout.once("data", resolve));
      expect(await latestCheckpoint(root)).toBe(step(1));
      expect((await hidden()).length).toBe(1);
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      expect(await latestCheckpoint(root)).toBe(step(1));
      expect(await fs.readFile(join(step(1), "config.json"), "utf8")).toBe("one");
      expect(await hidden()).toEqual([]);
    }
    await save(2, "two");
    expect(await latestCheckpoint(root)).toBe(step(2));
  });
});

describe("latestCheckpoint", () => {
  it("takes the highest complete step", async () => {
    expect(await latestCheckpoint(root)).toBeUndefined();
    await save(9, "nine");
    await save(100000, "many");
    expect(await latestCheckpoint(root)).toBe(step(100000));
    await fs.rm(join(step(100000), MARKER));
    expect(await latestCheckpoint(root)).toBe(step(9));
    await save(50, "fifty");
    await fs.truncate(join(step(50), "model.safetensors"), 2);
    expect(await latestCheckpoint(root)).toBe(step(9));
    await fs.writeFile(join(step(9), MARKER), "{");
    expect(await latestCheckpoint(root)).toBeUndefined();
  });

  it("puts back a folder whose replacement never got its name", async () => {
    const dead = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => dead.once("exit", resolve));
    const aside = join(root, "checkpoints", `.step_00007.${dead.pid}.old`);
    await save(7, "seven");
    await fs.rename(step(7), aside);
    expect(await latestCheckpoint(root)).toBe(step(7));
    await save(7, "new");
    await fs.cp(step(7), aside, { recursive: true });
    expect(await latestCheckpoint(root)).toBe(step(7));
    expect(await hidden()).toEqual([]);
  });
});
