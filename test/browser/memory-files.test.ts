import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { readText } from "../../src/model/folder";
import { MemoryRunFiles } from "../../src/platform/browser/memory-files";
import { isComplete } from "../../src/platform/node/files";
import { tarBlob, tarFiles } from "../../src/platform/tar";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function* pieces(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(3);
  for (const first of [1, 4]) {
    // The same buffer each time, as a writer may do.
    buffer.set([first, first + 1, first + 2]);
    yield buffer;
  }
}

async function filled(): Promise<MemoryRunFiles> {
  const files = new MemoryRunFiles("nano-run");
  await files.append("metrics.jsonl", "a\n");
  await files.append("metrics.jsonl", "ü\n");
  await files.write("rollouts/step_00001.jsonl", ["x\n", "y\n"]);
  await files.writeFolder("checkpoints/step_00001", async (writer) => {
    await writer.write("config.json", "{}");
    await writer.write("model.safetensors", pieces());
  });
  return files;
}

test("files, folders and names behave as on disk", async () => {
  const files = await filled();
  expect(await files.read("metrics.jsonl")).toBe("a\nü\n");
  expect(await files.read("missing")).toBeUndefined();
  expect(await files.read("rollouts/step_00001.jsonl")).toBe("x\ny\n");
  expect(await files.list("checkpoints")).toEqual(["step_00001"]);
  expect(await files.list("missing")).toEqual([]);
  const folder = files.folder("checkpoints/step_00001");
  expect(await folder.list()).toEqual(["COMPLETE", "config.json", "model.safetensors"]);
  expect(await readText(folder, "config.json")).toBe("{}");
  const source = await folder.open("model.safetensors");
  expect(await source?.read(1, 4)).toEqual(Uint8Array.of(2, 3, 4, 5));
  expect(await folder.open("missing")).toBeUndefined();
  expect(await files.folder("missing").list()).toBeUndefined();

  await files.rename("checkpoints/step_00001", "checkpoints/step_00001.superseded");
  expect(await files.list("checkpoints")).toEqual(["step_00001.superseded"]);
  await files.remove("checkpoints");
  expect(await files.list("checkpoints")).toEqual([]);
  expect(await files.read("metrics.jsonl")).toBe("a\nü\n");
});

test("a folder whose writing fails leaves the one before", async () => {
  const files = await filled();
  const failing = files.writeFolder("checkpoints/step_00001", async (writer) => {
    await writer.write("config.json", "other");
    throw new Error("stopped");
  });
  await expect(failing).rejects.toThrow("stopped");
  expect(await readText(files.folder("checkpoints/step_00001"), "config.json")).toBe("{}");
});

test("the archive unpacks to a run folder that Node resumes from", async () => {
  const unpacked = tarFiles(new Uint8Array(await (await filled()).archive().arrayBuffer()));
  expect(new TextDecoder().decode(unpacked.get("nano-run/metrics.jsonl"))).toBe("a\nü\n");
  const root = await mkdtemp(join(tmpdir(), "zerotir-archive-"));
  folders.push(root);
  for (const [name, bytes] of unpacked) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), bytes);
  }
  expect(await isComplete(join(root, "nano-run/checkpoints/step_00001"))).toBe(true);
  await writeFile(join(root, "nano-run/checkpoints/step_00001/config.json"), "longer than before");
  expect(await isComplete(join(root, "nano-run/checkpoints/step_00001"))).toBe(false);
});

test("a name that ustar has no room for is refused", () => {
  expect(() => tarBlob([["x".repeat(101), []]])).toThrow(RangeError);
});
