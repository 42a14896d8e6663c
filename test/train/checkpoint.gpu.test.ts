/** Checkpoints that training cannot go on from: which file, what is wrong, what to do. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SafetensorsFile } from "../../src/model/safetensors/read";
import { nodeFolder } from "../../src/platform/node/files";
import { prepare, tinyRun } from "./tiny-run";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-checkpoint-"));
  await prepare(root);
  await tinyRun(root, "run", { values: { maxSteps: 1 } });
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

async function damaged(name: string, damage: (folder: string) => Promise<void>) {
  const run = join(root, name);
  await fs.cp(join(root, "run"), run, { recursive: true });
  const folder = join(run, "checkpoints/step_00001");
  await damage(folder);
  return tinyRun(root, name, { values: { maxSteps: 2, resumeFromCheckpoint: folder } });
}

const json = (folder: string, name: string, change: (value: Record<string, unknown>) => Record<string, unknown>) =>
  fs
    .readFile(join(folder, name), "utf8")
    .then((text) => fs.writeFile(join(folder, name), JSON.stringify(change(JSON.parse(text)))));

test.each<[string, (folder: string) => Promise<void>, RegExp]>([
  [
    "no optimizer",
    (folder) => fs.rm(join(folder, "optimizer.safetensors")),
    /step_00001: has no optimizer\.safetensors, so training cannot go on/,
  ],
  [
    "half an optimizer",
    (folder) => fs.truncate(join(folder, "optimizer.safetensors"), 5000),
    /step_00001\/optimizer\.safetensors/,
  ],
  [
    "the model's weights for moments",
    (folder) => fs.copyFile(join(folder, "model.safetensors"), join(folder, "optimizer.safetensors")),
    /step_00001\/optimizer\.safetensors: .*exp_avg\./,
  ],
  [
    "no state",
    (folder) => fs.rm(join(folder, "trainer_state.json")),
    /step_00001: has no trainer_state\.json.*--model-name-or-path/,
  ],
  [
    "a state without its step",
    (folder) => json(folder, "trainer_state.json", ({ global_step: _, ...rest }) => rest),
    /trainer_state\.json: global_step is wrong/,
  ],
  ["no tokenizer", (folder) => fs.rm(join(folder, "tokenizer.json")), /step_00001: has no tokenizer\.json/],
  [
    "a tokenizer larger than the model",
    (folder) =>
      json(folder, "tokenizer.json", (value) => ({
        ...value,
        added_tokens: [
          ...(Array.isArray(value.added_tokens) ? value.added_tokens : []),
          { id: 272, content: "<new>", special: false },
        ],
      })),
    /tokenizer\.json has 273 tokens, the model's embedding 272/,
  ],
])("%s", async (name, damage, message) => {
  await expect(damaged(name.replaceAll(/\W/g, "-"), damage)).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringMatching(message),
  });
});

test("holds both moments of every tensor, and the tokenizer as it came", async () => {
  const folder = nodeFolder(join(root, "run/checkpoints/step_00001"));
  const open = async (name: string) => {
    const source = await folder.open(name);
    if (source === undefined) throw new Error(`no ${name}`);
    return SafetensorsFile.open(source, name);
  };
  const model = [...(await open("model.safetensors")).header.tensors.keys()];
  const moments = [...(await open("optimizer.safetensors")).header.tensors.keys()];
  expect(moments.sort()).toEqual(model.flatMap((name) => [`exp_avg.${name}`, `exp_avg_sq.${name}`]).sort());
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    expect(await fs.readFile(join(root, "run/checkpoints/step_00001", name))).toEqual(
      await fs.readFile(join(root, "model", name)),
    );
});
