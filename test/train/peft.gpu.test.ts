/**
 * Adapter runs from options to files: what a checkpoint holds, an exact resume, the base found again, folders of
 * others.
 */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parityTensors } from "../../src/diagnostics/parity";
import { readModel } from "../../src/model/peft";
import { SafetensorsFile } from "../../src/model/safetensors/read";
import { encodeSafetensors } from "../../src/model/safetensors/write";
import { resolveTrainOptions } from "../../src/options/train";
import { nodeFolder } from "../../src/platform/node/files";
import { modelContext } from "../support/reference/models";
import { deterministicFiles, prepare, TINY, tinyRun } from "./tiny-run";

const PEFT = { usePeft: true, loraR: 6, loraAlpha: 12, learningRate: 2e-2 };
let root: string;
let checkpoint: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-peft-"));
  await prepare(root);
  await tinyRun(root, "whole", { values: { ...PEFT, maxSteps: 6, saveSteps: 3 } });
  checkpoint = join(root, "whole/checkpoints/step_00006");
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

async function headerOf(folder: string, name = "adapter_model.safetensors"): Promise<SafetensorsFile> {
  const source = await nodeFolder(folder).open(name);
  if (source === undefined) throw new Error(`no ${name}`);
  return SafetensorsFile.open(source, name);
}

test("a checkpoint is a PEFT folder with tokenizer, moments and state, and no whole model", async () => {
  expect((await fs.readdir(checkpoint)).sort()).toEqual([
    "COMPLETE",
    "adapter_config.json",
    "adapter_model.safetensors",
    "optimizer.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "trainer_state.json",
  ]);
  expect(JSON.parse(await fs.readFile(join(checkpoint, "adapter_config.json"), "utf8"))).toMatchObject({
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    r: 6,
    lora_alpha: 12,
    lora_dropout: 0,
    bias: "none",
    base_model_name_or_path: join(root, "model"),
    target_modules: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
  });
  const { header } = await headerOf(checkpoint);
  expect(header.metadata).toEqual({ format: "pt" });
  expect(header.tensors.size).toBe(2 * 7 * TINY.layerCount);
  expect(header.tensors.get("base_model.model.model.layers.1.mlp.down_proj.lora_A.weight")).toMatchObject({
    dtype: "F32",
    shape: [6, TINY.intermediateSize],
  });
  expect(header.tensors.get("base_model.model.model.layers.1.mlp.down_proj.lora_B.weight")).toMatchObject({
    dtype: "F32",
    shape: [TINY.hiddenSize, 6],
  });
});

test.each([
  ["float32", {}],
  ["int4", { dtype: "int4" }],
])(
  "%s: three steps and three more equal six",
  async (name, values) => {
    const all = { ...PEFT, ...values };
    await tinyRun(root, `${name}-six`, { values: { ...all, maxSteps: 6, saveSteps: 3 } });
    await tinyRun(root, `${name}-parts`, { values: { ...all, maxSteps: 3, saveSteps: 3 } });
    await tinyRun(root, `${name}-parts`, {
      values: {
        ...all,
        maxSteps: 6,
        saveSteps: 3,
        resumeFromCheckpoint: join(root, `${name}-parts/checkpoints/step_00003`),
      },
    });
    const six = await deterministicFiles(join(root, `${name}-six`), 6);
    expect(await deterministicFiles(join(root, `${name}-parts`), 6)).toEqual(six);
    const first = await headerOf(join(root, `${name}-six/checkpoints/step_00003`));
    const last = await headerOf(join(root, `${name}-six/checkpoints/step_00006`));
    for (const tensor of last.header.tensors.keys())
      expect(await last.floats(tensor), tensor).not.toEqual(await first.floats(tensor));
  },
  240_000,
);

test("trained in bfloat16 with an f32 master: three steps and three more equal six", async () => {
  const values = { dtype: "bfloat16", maxSteps: 6, saveSteps: 3 };
  await tinyRun(root, "bf16-six", { values });
  await tinyRun(root, "bf16-parts", { values: { ...values, maxSteps: 3 } });
  const resumeFromCheckpoint = join(root, "bf16-parts/checkpoints/step_00003");
  await tinyRun(root, "bf16-parts", { values: { ...values, resumeFromCheckpoint } });
  expect(await deterministicFiles(join(root, "bf16-parts"), 6)).toEqual(
    await deterministicFiles(join(root, "bf16-six"), 6),
  );
}, 240_000);

const IDS = [Uint32Array.of(3, 9, 40, 41, 7, 12)];

async function logprobsOf(folder: string): Promise<Float32Array> {
  const gpu = await modelContext();
  const made = await parityTensors(gpu, nodeFolder(folder), nodeFolder, { dtype: "float32" }, { ids: IDS });
  const { data } = made.tensors.find(({ name }) => name === "logprobs.0") ?? {};
  const values = typeof data === "function" ? await data() : new Float32Array();
  made.destroy();
  return values;
}

describe("the folder as a model", () => {
  /** A copy of the checkpoint with another adapter_config.json. */
  async function changed(name: string, config: Record<string, unknown>): Promise<string> {
    const folder = join(root, name);
    await fs.cp(checkpoint, folder, { recursive: true });
    const file = join(folder, "adapter_config.json");
    await fs.writeFile(file, JSON.stringify({ ...JSON.parse(await fs.readFile(file, "utf8")), ...config }));
    return folder;
  }

  test("computes something else than its base, which is found by a path relative to it as well", async () => {
    const adapted = await logprobsOf(checkpoint);
    expect(adapted).not.toEqual(await logprobsOf(join(root, "model")));
    expect(await logprobsOf(await changed("relative", { base_model_name_or_path: "../model" }))).toEqual(adapted);
  });

  test("the scale is alpha over the rank, or over its root", async () => {
    const { adapter } = await readModel(nodeFolder(await changed("rslora", { use_rslora: true })), nodeFolder);
    expect(adapter?.config).toMatchObject({ rank: 6, alpha: 12, useRslora: true });
    const scaled = await changed("scaled", { lora_alpha: 12 * Math.sqrt(6) });
    expect(await logprobsOf(join(root, "rslora"))).toEqual(await logprobsOf(scaled));
  });

  test("an adapter is trained on, with its own shape", async () => {
    const values = { ...PEFT, modelNameOrPath: checkpoint, loraR: null, loraAlpha: null, maxSteps: 1 };
    await tinyRun(root, "on", { values });
    const config = JSON.parse(await fs.readFile(join(root, "on/checkpoints/step_00001/adapter_config.json"), "utf8"));
    expect(config).toMatchObject({ r: 6, lora_alpha: 12, base_model_name_or_path: join(root, "model") });
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["another method", { peft_type: "LOHA" }, /adapter_config\.json: peft_type is "LOHA"; only LORA/],
    ["dora", { use_dora: true }, /use_dora is true, which is not implemented/],
    ["biases", { bias: "lora_only" }, /bias is "lora_only", which is not implemented/],
    ["whole modules", { modules_to_save: ["lm_head"] }, /modules_to_save is \["lm_head"\]/],
    ["ranks that differ", { rank_pattern: { q_proj: 2 } }, /rank_pattern is/],
    ["a changed base", { init_lora_weights: "pissa" }, /init_lora_weights is "pissa", which changes the base/],
    ["a rank that is not that of the tensors", { r: 4 }, /has shape \[6, 32\]; rank and base ask for \[4, 32\]/],
    ["no base", { base_model_name_or_path: null }, /names no model/],
    ["a base that is gone", { base_model_name_or_path: "no/such" }, /the base model no\/such is not there/],
    ["a base that is an adapter", { base_model_name_or_path: "../whole/checkpoints/step_00003" }, /holds an adapter/],
  ])("%s is refused", async (name, config, message) => {
    const folder = await changed(name.replaceAll(" ", "-"), config);
    await expect(readModel(nodeFolder(folder), nodeFolder)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ["lm_head", /lm_head.* adapts what cannot be adapted here/],
    ["model.layers.2.mlp.up_proj", /layers\.2.* has no place in the base/],
  ])("a tensor of %s is refused", async (module, message) => {
    const folder = await changed(`tensor-${module}`, {});
    const name = `base_model.model.${module}.lora_A.weight`;
    const file = await headerOf(folder);
    const tensors = await Promise.all(
      [...file.header.tensors.values()].map(async (each) => ({
        ...each,
        dtype: "F32" as const,
        data: await file.floats(each.name),
      })),
    );
    const more = { name, shape: [6, 32], dtype: "F32" as const, data: new Float32Array(192) };
    await fs.writeFile(join(folder, "adapter_model.safetensors"), await encodeSafetensors([...tensors, more]));
    await expect(readModel(nodeFolder(folder), nodeFolder)).rejects.toThrow(message);
  });
});

describe("options", () => {
  test.each<[Record<string, unknown>, RegExp]>([
    [
      { ...PEFT, usePeft: false, loraR: null, loraAlpha: null, modelNameOrPath: "CHECKPOINT" },
      /holds a LoRA adapter; add --use-peft/,
    ],
    [{ ...PEFT, modelNameOrPath: "CHECKPOINT", loraR: 8 }, /holds an adapter of --lora-r 6, and --lora-r is 8/],
    [{ usePeft: false, resumeFromCheckpoint: "CHECKPOINT", maxSteps: 9 }, /holds a LoRA adapter; add --use-peft/],
  ])("%j", async (values, message) => {
    const named = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, value === "CHECKPOINT" ? checkpoint : value]),
    );
    await expect(tinyRun(root, "refused", { values: named })).rejects.toThrow(message);
  });

  test("a whole checkpoint is not gone on from with an adapter", async () => {
    await tinyRun(root, "full", { values: { maxSteps: 1 } });
    const resumeFromCheckpoint = join(root, "full/checkpoints/step_00001");
    await expect(tinyRun(root, "full", { values: { ...PEFT, maxSteps: 2, resumeFromCheckpoint } })).rejects.toThrow(
      /was trained without an adapter; leave --use-peft out/,
    );
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ dtype: "int8" }, /--dtype is int8, whose weights cannot be trained; add --use-peft/],
    [{ loraR: 8 }, /--lora-r is an option of adapters; add --use-peft/],
    [{ usePeft: true, loraDropout: 0.1 }, /unknown option lora_dropout of train: it is not implemented; leave it out/],
    [{ usePeft: true, loraTargetModules: ["lm_head"] }, /lora_target_modules is/],
  ])("%j", (values, message) => {
    const layer = { source: "the test", spelling: "file" as const, values: { preset: "nano", ...values } };
    expect(() => resolveTrainOptions([layer])).toThrow(message);
  });
});
