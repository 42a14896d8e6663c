/** LoRA adapters in folders as PEFT writes them: adapter_config.json and adapter_model.safetensors. */

import { UserError } from "../base/errors";
import type { JsonObject } from "../base/json";
import { at } from "../base/must";
import { type AdapterConfig, type AdapterTarget, adapterTargets } from "./adapter";
import { type ModelConfig, type ParameterShape, parameterShapes } from "./config";
import {
  type Checkpoint,
  type CheckpointTensor,
  type FolderReader,
  type FolderWriter,
  readCheckpoint,
  readCompanions,
  readText,
} from "./folder";
import { JsonReader } from "./json-reader";
import { SafetensorsFile } from "./safetensors/read";
import { safetensorsChunks, type TensorToWrite } from "./safetensors/write";

export const ADAPTER_CONFIG = "adapter_config.json";
const ADAPTER_WEIGHTS = "adapter_model.safetensors";
/** PEFT's wrapper around the model shows in its tensors' names. */
const PREFIX = "base_model.model.";

/** An adapter in a folder, whose config and tensors have been held against its base. */
export interface StoredAdapter {
  readonly config: AdapterConfig;
  /** The base model's name or path. */
  readonly base: string;
  /** Named as in {@link AdapterLayout}. @throws UserError at a wrong shape or a value that is not finite */
  tensors(): AsyncGenerator<CheckpointTensor>;
}

/** A model as a folder gives it: a whole checkpoint, or an adapter and the checkpoint of its base. */
export interface ModelSource {
  readonly checkpoint: Checkpoint;
  /** Where the whole checkpoint lies. */
  readonly folder: FolderReader;
  readonly adapter?: StoredAdapter;
}

/**
 * Opens a checkpoint folder, or the folder of an adapter and that of its base.
 * @param find a folder by the name or path of a model
 * @throws UserError when either cannot be read, or the adapter is of a kind that is not implemented
 */
export async function readModel(
  folder: FolderReader,
  find: (nameOrPath: string) => FolderReader,
): Promise<ModelSource> {
  const stored = await readAdapterConfig(folder);
  if (stored === undefined) return { checkpoint: await readCheckpoint(folder), folder };
  const base = await baseFolder(folder, stored.base, find);
  const checkpoint = await readCheckpoint(base.folder);
  const companions = new Map([...checkpoint.companions, ...(await readCompanions(folder))]);
  return {
    checkpoint: { ...checkpoint, companions },
    folder: base.folder,
    adapter: await readAdapter(folder, base.name, stored.config, checkpoint.config),
  };
}

/**
 * The folder whose config.json describes the model of a folder: the folder itself, or the base of the adapter that it
 * holds.
 */
export async function configFolder(
  folder: FolderReader,
  find: (nameOrPath: string) => FolderReader,
): Promise<FolderReader> {
  const config = await readAdapterConfig(folder);
  return config === undefined ? folder : (await baseFolder(folder, config.base, find)).folder;
}

/** A relative path counts from the working directory, as in PEFT, or from the adapter's folder. */
async function baseFolder(
  folder: FolderReader,
  base: string,
  find: (nameOrPath: string) => FolderReader,
): Promise<{ folder: FolderReader; name: string }> {
  const isAbsolute = /^([/\\]|[a-z]:)/i.test(base);
  for (const name of isAbsolute ? [base] : [base, `${folder.path}/${base}`]) {
    const candidate = find(name);
    const names = await candidate.list();
    if (names?.includes(ADAPTER_CONFIG))
      throw new UserError(
        `${folder.path}/${ADAPTER_CONFIG}: the base ${base} holds an adapter itself; merge that one with zerotir export and name the result`,
      );
    if (names !== undefined) return { folder: candidate, name };
  }
  throw new UserError(
    `${folder.path}/${ADAPTER_CONFIG}: the base model ${base} is not there; get it, or set base_model_name_or_path to where it is`,
  );
}

async function readAdapter(
  folder: FolderReader,
  base: string,
  config: Omit<AdapterConfig, "targets">,
  model: ModelConfig,
): Promise<StoredAdapter> {
  const source = await folder.open(ADAPTER_WEIGHTS);
  if (source === undefined)
    throw new UserError(`${folder.path}: has ${ADAPTER_CONFIG} and no ${ADAPTER_WEIGHTS}; fetch the adapter again`);
  const file = await SafetensorsFile.open(source, `${folder.path}/${ADAPTER_WEIGHTS}`);
  const names = [...file.header.tensors.keys()];
  const found = new Set(names.map((name) => targetOf(file.file, name)));
  const targets = adapterTargets.filter((target) => found.has(target));
  const expected = adapterShapes(model, { ...config, targets });
  for (const { hfName, shape } of expected) {
    const actual = file.header.tensors.get(PREFIX + hfName)?.shape;
    if (actual === undefined || actual.length !== 2 || actual.some((size, axis) => size !== shape[axis]))
      throw new UserError(
        `${file.file}: tensor ${PREFIX}${hfName} ${actual === undefined ? "is missing" : `has shape [${actual.join(", ")}]`}; rank and base ask for [${shape.join(", ")}]`,
      );
  }
  const extra = names.find((name) => !expected.some(({ hfName }) => PREFIX + hfName === name));
  if (extra !== undefined)
    throw new UserError(
      `${file.file}: tensor ${extra} has no place in the base ${base}; the adapter belongs to another model`,
    );
  return {
    base,
    config: { ...config, targets },
    async *tensors() {
      for (const { hfName, shape } of expected) {
        const name = PREFIX + hfName;
        const data = await file.floats(name);
        const bad = data.findIndex((value) => !Number.isFinite(value));
        if (bad >= 0)
          throw new UserError(
            `${file.file}: tensor ${name} holds ${data[bad]} at index ${bad}; use another checkpoint`,
          );
        yield { hfName, shape, data };
      }
    },
  };
}

/** A and B of every target in every layer. */
function adapterShapes(model: ModelConfig, { rank, targets }: AdapterConfig): ParameterShape[] {
  return parameterShapes(model).flatMap(({ hfName, shape }) => {
    const [, module, name] = /^(.*\.(\w+_proj))\.weight$/.exec(hfName) ?? [];
    if (!targets.some((target) => target === name)) return [];
    return [
      { hfName: `${module}.lora_A.weight`, shape: [rank, at(shape, 1)] },
      { hfName: `${module}.lora_B.weight`, shape: [at(shape, 0), rank] },
    ];
  });
}

function targetOf(file: string, name: string): AdapterTarget {
  const [, module] =
    /^base_model\.model\.model\.layers\.\d+\.(?:self_attn|mlp)\.(\w+)\.lora_[AB]\.weight$/.exec(name) ?? [];
  const target = adapterTargets.find((each) => each === module);
  if (target === undefined)
    throw new UserError(
      `${file}: tensor ${name} adapts what cannot be adapted here; expected lora_A and lora_B of ${adapterTargets.join(", ")}`,
    );
  return target;
}

/** Keys of adapter_config.json that change nothing in what is computed, or that are read below. */
const HARMLESS = new Set([
  "auto_mapping",
  "base_model_name_or_path",
  "exclude_modules",
  "inference_mode",
  "init_lora_weights",
  "layers_pattern",
  "lora_alpha",
  "lora_dropout",
  "megatron_core",
  "peft_type",
  "peft_version",
  "r",
  "revision",
  "runtime_config",
  "target_modules",
  "task_type",
  "use_rslora",
]);

async function readAdapterConfig(
  folder: FolderReader,
): Promise<{ base: string; config: Omit<AdapterConfig, "targets"> } | undefined> {
  const text = (await folder.list())?.includes(ADAPTER_CONFIG) ? await readText(folder, ADAPTER_CONFIG) : undefined;
  if (text === undefined) return undefined;
  const file = `${folder.path}/${ADAPTER_CONFIG}`;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UserError(`${file}: not JSON; fetch the adapter again`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new UserError(`${file}: expected a JSON object with the keys of PEFT's LoraConfig`);
  const read = new JsonReader(json as JsonObject, file);
  if (read.value("peft_type") !== "LORA")
    read.fail(`peft_type is ${JSON.stringify(read.value("peft_type"))}; only LORA is implemented`);
  const initial = read.value("init_lora_weights") ?? true;
  if (typeof initial === "string" && !["gaussian", "eva", "orthogonal"].includes(initial))
    read.fail(
      `init_lora_weights is ${JSON.stringify(initial)}, which changes the base model's weights; convert the adapter with PEFT's path_initial_model_for_weight_conversion`,
    );
  for (const [key, value] of Object.entries(json))
    if (!HARMLESS.has(key) && !isNeutral(value))
      read.fail(`${key} is ${JSON.stringify(value)}, which is not implemented; merge the adapter with PEFT first`);
  const base = read.value("base_model_name_or_path");
  if (typeof base !== "string" || base === "")
    return read.fail("base_model_name_or_path names no model; set it to the base model's folder");
  return {
    base,
    config: { rank: read.count("r"), alpha: read.positive("lora_alpha", 8), useRslora: read.flag("use_rslora") },
  };
}

/** What PEFT writes where a feature is not used. */
function isNeutral(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === null || value === false || value === "none";
}

/**
 * Writes adapter_config.json and adapter_model.safetensors.
 * @param tensors those of the adapter's layout
 */
export async function writeAdapter(
  writer: FolderWriter,
  base: string,
  { rank, alpha, targets, useRslora = false }: AdapterConfig,
  tensors: Iterable<TensorToWrite>,
): Promise<void> {
  const config: JsonObject = {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: base,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: alpha,
    lora_dropout: 0,
    megatron_config: null,
    megatron_core: "megatron.core",
    modules_to_save: null,
    peft_type: "LORA",
    r: rank,
    rank_pattern: {},
    revision: null,
    target_modules: adapterTargets.filter((target) => targets.includes(target)),
    task_type: "CAUSAL_LM",
    use_dora: false,
    use_rslora: useRslora,
  };
  await writer.write(ADAPTER_CONFIG, `${JSON.stringify(config, null, 2)}\n`);
  await writer.write(
    ADAPTER_WEIGHTS,
    safetensorsChunks([...tensors].map((tensor) => ({ ...tensor, name: PREFIX + tensor.name }))),
  );
}
