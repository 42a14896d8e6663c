/** Export: merged weights compute what the adapter computes; layouts and types as transformers expects them. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parityTensors } from "../../src/diagnostics/parity";
import { parameterShapes, writeModelConfig } from "../../src/model/config";
import { exportModel } from "../../src/model/export";
import { readCheckpoint, writeCheckpoint } from "../../src/model/folder";
import { withValueHead } from "../../src/model/initialise";
import { readModel, writeAdapter } from "../../src/model/peft";
import { SafetensorsFile } from "../../src/model/safetensors/read";
import { nodeFolder, writeFolder } from "../../src/platform/node/files";
import { exportCheckpoint } from "../../src/run/export";
import { CONFIGS, largestDifference, modelContext, Numbers, randomTensors } from "../support/reference/models";
import { tempFolder } from "../support/temp-folder";

const config = CONFIGS["qwen2, tied, biases"];
const tensors = randomTensors(config);
const ADAPTER = { rank: 6, alpha: 9, targets: ["q_proj", "v_proj", "down_proj"], useRslora: true } as const;
const ids = [Uint32Array.from({ length: 24 }, (_, i) => (7 * i) % config.vocabularySize)];

const root = tempFolder("export");
beforeAll(async () => {
  await writeFolder(join(root, "base"), (writer) =>
    writeCheckpoint(
      writer,
      config,
      tensors.map(({ hfName, shape, data }) => ({ name: hfName, shape, data })),
      new Map([["tokenizer_config.json", "{}\n"]]),
    ),
  );
  const numbers = new Numbers(4);
  const parts = parameterShapes(config).flatMap(({ hfName, shape: [rows = 0, columns = 0] }) => {
    if (!ADAPTER.targets.some((target) => hfName.endsWith(`.${target}.weight`))) return [];
    const part = (name: string, shape: number[]) => ({
      name: hfName.replace(/weight$/, `${name}.weight`),
      shape,
      data: Float32Array.from({ length: (shape[0] ?? 0) * (shape[1] ?? 0) }, () => 0.2 * numbers.normal()),
    });
    return [part("lora_A", [ADAPTER.rank, columns]), part("lora_B", [rows, ADAPTER.rank])];
  });
  await writeFolder(join(root, "adapter"), (writer) => writeAdapter(writer, "../base", ADAPTER, parts));
});

async function logprobsOf(name: string): Promise<Float32Array> {
  const gpu = await modelContext();
  const made = await parityTensors(gpu, nodeFolder(join(root, name)), nodeFolder, { dtype: "float32" }, { ids });
  const { data } = made.tensors.find((tensor) => tensor.name === "logprobs.0") ?? {};
  const values = typeof data === "function" ? await data() : new Float32Array();
  made.destroy();
  return values;
}

const request = (output: string, more = {}) => ({
  model: join(root, "adapter"),
  output: join(root, output),
  dtype: "float32" as const,
  adapterOnly: false,
  ...more,
});

test("merged log-probs equal the adapter's within f32 rounding", async () => {
  const report = await exportCheckpoint(request("merged"));
  expect(report).toMatchObject({ merged: true, files: ["config.json", "model.safetensors", "tokenizer_config.json"] });
  const adapted = await logprobsOf("adapter");
  expect(largestDifference(adapted, await logprobsOf("base"))).toBeGreaterThan(0.05);
  const difference = largestDifference(await logprobsOf("merged"), adapted);
  console.log(`merged against adapter: largest log-prob difference ${difference}`);
  expect(difference).toBeLessThan(1e-5);
});

test.each([
  ["float16", "F16"],
  ["bfloat16", "BF16"],
] as const)("%s: every tensor of the model in its shape, and config.json says so", async (dtype, stored) => {
  await exportCheckpoint(request(dtype, { dtype }));
  const json = JSON.parse(await fs.readFile(join(root, dtype, "config.json"), "utf8"));
  expect(json).toEqual(writeModelConfig(config, dtype));
  expect(json.torch_dtype).toBe(dtype);
  const source = await nodeFolder(join(root, dtype)).open("model.safetensors");
  if (source === undefined) throw new Error("nothing was written");
  const { header } = await SafetensorsFile.open(source, dtype);
  expect(header.metadata).toEqual({ format: "pt" });
  expect(new Map([...header.tensors].map(([name, { shape }]) => [name, shape]))).toEqual(
    new Map(parameterShapes(config).map(({ hfName, shape }) => [hfName, shape])),
  );
  expect([...header.tensors.values()].every((tensor) => tensor.dtype === stored)).toBe(true);
  const bound = dtype === "float16" ? 2e-2 : 0.2;
  expect(largestDifference(await logprobsOf(dtype), await logprobsOf("adapter"))).toBeLessThan(bound);
});

test("above the bound: several files and an index that read as one", async () => {
  const source = await readModel(nodeFolder(join(root, "adapter")), nodeFolder);
  await writeFolder(join(root, "one"), (writer) => exportModel(writer, source, "float32"));
  await writeFolder(join(root, "many"), (writer) => exportModel(writer, source, "float32", 20_000));
  const names = await fs.readdir(join(root, "many"));
  const files = names.filter((name) => name.endsWith(".safetensors"));
  expect(files.length).toBeGreaterThan(2);
  expect(files).toContain(`model-00001-of-${String(files.length).padStart(5, "0")}.safetensors`);
  const index = JSON.parse(await fs.readFile(join(root, "many/model.safetensors.index.json"), "utf8"));
  const bytes = parameterShapes(config).reduce((sum, { shape }) => sum + 4 * shape.reduce((p, size) => p * size, 1), 0);
  expect(index.metadata).toEqual({ total_size: bytes });
  const read = async (name: string) => {
    const all = [];
    for await (const tensor of (await readCheckpoint(nodeFolder(join(root, name)))).tensors()) all.push(tensor);
    return all;
  };
  expect(await read("many")).toEqual(await read("one"));
});

test("a shared value head is left out", async () => {
  const source = await readModel(nodeFolder(join(root, "base")), nodeFolder);
  const valued = { ...source, checkpoint: withValueHead(source.checkpoint, "shared") };
  for (const [name, each] of Object.entries({ plain: source, valued }))
    await writeFolder(join(root, name), (writer) => exportModel(writer, each, "float32"));
  for (const file of ["config.json", "model.safetensors"])
    expect(await fs.readFile(join(root, "valued", file))).toEqual(await fs.readFile(join(root, "plain", file)));
});

test("the adapter alone comes out as it went in", async () => {
  await exportCheckpoint(request("alone", { adapterOnly: true }));
  const bytes = (folder: string, name: string) => fs.readFile(join(root, folder, name));
  expect(await bytes("alone", "adapter_model.safetensors")).toEqual(
    await bytes("adapter", "adapter_model.safetensors"),
  );
  const config = async (folder: string) => JSON.parse((await bytes(folder, "adapter_config.json")).toString());
  // A path that was relative to the adapter's folder would lead nowhere from another one.
  expect(await config("alone")).toEqual({
    ...(await config("adapter")),
    base_model_name_or_path: `${root}/adapter/../base`,
  });
});

test.each<[string, { model?: string; output: string; adapterOnly?: boolean }, string]>([
  ["a folder that is not empty", { output: "base" }, "is not empty"],
  ["no adapter", { model: "base", adapterOnly: true, output: "x" }, "holds no adapter"],
  ["no model", { model: "nowhere", output: "x" }, "no such folder"],
])("%s is refused", async (_, { model = "adapter", output, adapterOnly = false }, message) => {
  const asked = request(output, { model: join(root, model), adapterOnly });
  await expect(exportCheckpoint(asked)).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringContaining(message),
  });
});
