/** Checkpoint folders: config.json, companions and safetensors files, read and written, wherever the folder is. */
import { reasonOf, UserError } from "../base/errors";
import { must } from "../base/must";
import {
  classNameOf,
  type ModelConfig,
  type ParameterShape,
  parameterShapes,
  parseModelConfig,
  writeModelConfig,
} from "./config";
import { shown } from "./json-reader";
import { type ByteSource, SafetensorsFile } from "./safetensors/read";
import { repeatedKey } from "./safetensors/repeated-key";
import { safetensorsChunks, type TensorToWrite } from "./safetensors/write";

/** A folder of files, wherever it is. Names are plain: no folder may be reached from within it. */
export interface FolderReader {
  /** What to call the folder in errors. */
  readonly path: string;
  /** File names, or undefined when there is no such folder. */
  list(): Promise<string[] | undefined>;
  /** A file for random access, or undefined when there is none of that name. */
  open(name: string): Promise<ByteSource | undefined>;
}

/** A folder that is being written; it appears under its name only when all of it is safe. */
export interface FolderWriter {
  write(name: string, content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
}

/** One tensor of a checkpoint, as floats, row-major. */
export interface CheckpointTensor extends ParameterShape {
  readonly data: Float32Array;
}

/** A Hugging Face checkpoint whose config and tensor shapes have been checked; values are read on demand. */
export interface Checkpoint {
  readonly config: ModelConfig;
  /**
   * Every tensor of {@link parameterShapes}, in that order, one in memory at a time.
   *
   * @throws UserError at a value that is not finite
   */
  tensors(): AsyncGenerator<CheckpointTensor>;
  /** One of them by name. @throws UserError at a value that is not finite */
  tensor(hfName: string): Promise<CheckpointTensor>;
  /** Files that belong to the model and are carried along unchanged when it is saved, by name. */
  readonly companions: ReadonlyMap<string, string>;
  /** The text of tokenizer.json. */
  readonly tokenizerJson?: string;
}

/** Text files that travel with a model. */
const COMPANIONS = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "chat_template.jinja",
  "generation_config.json",
];

/** Most bytes of config.json, generation_config.json or the index. */
const MOST_JSON = 2 ** 24;

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";
const INDEX = "model.safetensors.index.json";
const WEIGHTS = "model.safetensors";

/**
 * Opens a Hugging Face checkpoint of a language model: config.json, generation_config.json (whose end-of-text ids win)
 * and model.safetensors, whole or in shards. A tied model may keep its one matrix under either of the two names.
 *
 * @throws UserError naming the file and the tensor, what was expected, and what to do
 */
export async function readCheckpoint(folder: FolderReader): Promise<Checkpoint> {
  return openCheckpoint(folder, await readModelConfig(folder));
}

/**
 * Opens the checkpoint of a critic, which has a value head and no logits. @throws UserError as {@link readCheckpoint}
 * does
 */
export async function readCritic(folder: FolderReader): Promise<Checkpoint> {
  const config = await readConfig(folder);
  if (config.valueHead !== "alone")
    throw new UserError(
      `${folder.path}/config.json: the model is ${classNameOf(config)}; expected a critic, ${classNameOf({ ...config, valueHead: "alone" })}`,
    );
  return openCheckpoint(folder, config);
}

async function openCheckpoint(folder: FolderReader, parsed: ModelConfig): Promise<Checkpoint> {
  const companions = await readCompanions(folder);
  const config = withGenerationEos(
    parsed,
    companions.get("generation_config.json"),
    `${folder.path}/generation_config.json`,
  );
  const names = must(await folder.list(), folder.path);
  const files = await openWeights(folder, names);
  const sources = await locate(config, files, folder.path);
  const tokenizerJson = companions.get("tokenizer.json");
  return {
    config,
    companions,
    ...(tokenizerJson !== undefined && { tokenizerJson }),
    async *tensors() {
      for (const source of sources) yield await readTensor(source);
    },
    async tensor(hfName) {
      const source = sources.find(({ parameter }) => parameter.hfName === hfName);
      if (source === undefined) throw new Error(`${hfName} is no tensor of this model`);
      return readTensor(source);
    },
  };
}

/** config.json alone. @throws UserError when it is missing or no language model that this package runs */
export async function readModelConfig(folder: FolderReader): Promise<ModelConfig> {
  const config = await readConfig(folder);
  if (config.valueHead === "alone")
    throw new UserError(
      `${folder.path}/config.json: the model is the critic ${classNameOf(config)}, which gives values and no text; expected a language model, ${classNameOf({ architecture: config.architecture })}`,
    );
  return config;
}

async function readConfig(folder: FolderReader): Promise<ModelConfig> {
  const names = await folder.list();
  if (names === undefined)
    throw new UserError(`${folder.path}: no such folder; expected a checkpoint with config.json and ${WEIGHTS}`);
  if (!names.includes("config.json")) throw new UserError(`${folder.path}: ${missingConfig(names)}`);
  return parseModelConfig(await readJson(folder, "config.json"), `${folder.path}/config.json`);
}

/** The files of a folder that travel with its model. */
export async function readCompanions(folder: FolderReader): Promise<ReadonlyMap<string, string>> {
  const names = (await folder.list()) ?? [];
  const companions = new Map<string, string>();
  for (const name of COMPANIONS) {
    const text = names.includes(name) || names.includes(`${name}.gz`) ? await readText(folder, name) : undefined;
    if (text !== undefined) companions.set(name, text);
  }
  return companions;
}

/**
 * Writes config.json, model.safetensors and the companion files; what belongs to the training state is the caller's.
 *
 * @param tensors those of {@link parameterShapes}, in any order
 */
export async function writeCheckpoint(
  writer: FolderWriter,
  config: ModelConfig,
  tensors: Iterable<TensorToWrite>,
  companions: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  await writer.write("config.json", `${JSON.stringify(writeModelConfig(config), null, 2)}\n`);
  for (const [name, text] of companions) await writer.write(name, text);
  await writer.write(WEIGHTS, safetensorsChunks(tensors));
}

/** A text file of the folder, or undefined when there is none. A file `<name>.gz` stands for one that is missing. */
export async function readText(folder: FolderReader, name: string): Promise<string | undefined> {
  const source = await folder.open(name);
  const packed = source === undefined ? await folder.open(`${name}.gz`) : undefined;
  const file = `${folder.path}/${name}${packed === undefined ? "" : ".gz"}`;
  const found = source ?? packed;
  if (found === undefined) return undefined;
  const most = name.endsWith("config.json") || name === INDEX ? MOST_JSON : MOST_UNPACKED;
  if (found.size > most) throw new UserError(`${file}: has ${found.size} bytes; expected at most ${most}`);
  const bytes = found === packed ? await unpacked(found, file) : await found.read(0, found.size);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw new UserError(`${file}: not UTF-8 text`);
    throw error;
  }
}

/** Most bytes that a gzip file may become: far above any tokenizer, far below what would fill the memory. */
const MOST_UNPACKED = 2 ** 28;

async function unpacked(source: ByteSource, file: string): Promise<Uint8Array> {
  const packed = new Blob([Uint8Array.from(await source.read(0, source.size))]);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of packed.stream().pipeThrough(new DecompressionStream("gzip"))) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size > MOST_UNPACKED) throw new UserError(`${file}: holds more than ${MOST_UNPACKED} bytes of text`);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: not a whole gzip file; get it again from where the model came from`);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

async function readJson(folder: FolderReader, name: string): Promise<unknown> {
  return parseJson((await readText(folder, name)) ?? "", `${folder.path}/${name}`);
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file}: not JSON (${reasonOf(error)})`);
  }
}

function missingConfig(names: readonly string[]): string {
  if (names.includes("adapter_config.json"))
    return "holds a LoRA adapter (adapter_config.json) and no config.json; merge it into its base model first";
  if (names.length === 0) return `the folder is empty; expected config.json and ${WEIGHTS}`;
  return `has no config.json; expected a checkpoint with config.json and ${WEIGHTS}`;
}

/**
 * generation_config.json lists every id that ends a text (instruct models have several); config.json often only one.
 */
function withGenerationEos(config: ModelConfig, text: string | undefined, file: string): ModelConfig {
  if (text === undefined) return config;
  const json = parseJson(text, file);
  const ids: unknown = typeof json === "object" && json !== null && "eos_token_id" in json ? json.eos_token_id : null;
  if (ids === null) return config;
  const list: unknown[] = Array.isArray(ids) ? ids : [ids];
  const eosTokenIds = list.filter((id): id is number => typeof id === "number" && Number.isSafeInteger(id) && id >= 0);
  if (eosTokenIds.length !== list.length)
    throw new UserError(`${file}: eos_token_id is ${shown(ids)}, expected a token id or a list of them`);
  return { ...config, eosTokenIds };
}

async function openWeights(folder: FolderReader, names: readonly string[]): Promise<SafetensorsFile[]> {
  if (names.includes(WEIGHTS)) return [await openFile(folder, WEIGHTS)];
  if (!names.includes(INDEX)) {
    const pickled = names.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
    throw new UserError(
      pickled === undefined
        ? `${folder.path}: has neither ${WEIGHTS} nor ${INDEX}; expected one of them beside config.json`
        : `${folder.path}: holds its weights in ${pickled}, which is not read because it can run code; convert it to ${WEIGHTS}`,
    );
  }
  const text = (await readText(folder, INDEX)) ?? "";
  const index = parseJson(text, `${folder.path}/${INDEX}`);
  const repeated = repeatedKey(text);
  if (repeated !== undefined)
    throw new UserError(`${folder.path}/${INDEX}: names ${shown(repeated)} twice; fetch it again`);
  const map = typeof index === "object" && index !== null && "weight_map" in index ? index.weight_map : undefined;
  if (typeof map !== "object" || map === null || Array.isArray(map))
    throw new UserError(`${folder.path}/${INDEX}: expected an object weight_map from tensor names to file names`);
  const shards = new Map<string, SafetensorsFile>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== "string" || !/^[\w-][\w.-]*\.safetensors$/.test(shard))
      throw new UserError(
        `${folder.path}/${INDEX}: tensor ${tensor} points to ${shown(shard)}; expected a .safetensors file in the same folder`,
      );
    const file = shards.get(shard) ?? (await openFile(folder, shard));
    shards.set(shard, file);
    if (!file.header.tensors.has(tensor))
      throw new UserError(
        `${file.file}: has no tensor ${tensor}, but ${INDEX} says it is there; fetch both files again`,
      );
  }
  return [...shards.values()];
}

async function openFile(folder: FolderReader, name: string): Promise<SafetensorsFile> {
  const source = await folder.open(name);
  if (source === undefined)
    throw new UserError(`${folder.path}: file ${name} is missing; the checkpoint is incomplete, fetch it again`);
  return SafetensorsFile.open(source, `${folder.path}/${name}`);
}

interface Located {
  readonly parameter: ParameterShape;
  /** The name under which the file holds it. */
  readonly stored: string;
  readonly file: SafetensorsFile;
}

async function readTensor({ parameter, stored, file }: Located): Promise<CheckpointTensor> {
  const data = await file.floats(stored);
  const bad = firstNotFinite(data);
  if (bad >= 0)
    throw new UserError(
      `${file.file}: tensor ${stored} holds ${data[bad]} at index ${bad}; expected finite weights, use an earlier checkpoint`,
    );
  return { ...parameter, data };
}

async function locate(config: ModelConfig, files: readonly SafetensorsFile[], path: string): Promise<Located[]> {
  const owners = new Map<string, SafetensorsFile>();
  for (const file of files)
    for (const name of file.header.tensors.keys()) {
      const other = owners.get(name);
      if (other !== undefined)
        throw new UserError(`${file.file}: tensor ${name} is also in ${other.file}; expected it once`);
      owners.set(name, file);
    }
  const where = files.length === 1 && files[0] !== undefined ? files[0].file : path;
  const expected = parameterShapes(config);
  const located = expected.map((parameter): Located => {
    const { hfName, shape } = parameter;
    const stored = hfName === EMBEDDING && config.tiedEmbeddings && !owners.has(EMBEDDING) ? HEAD : hfName;
    const file = owners.get(stored);
    if (file === undefined) throw new UserError(`${where}: ${missingTensor(hfName, shape, owners)}`);
    const actual = must(file.header.tensors.get(stored), stored).shape;
    if (actual.length !== shape.length || actual.some((size, axis) => size !== shape[axis]))
      throw new UserError(
        `${file.file}: tensor ${stored} has shape ${shown(actual)}; config.json asks for [${shape.join(", ")}]`,
      );
    return { parameter, stored, file };
  });
  await refuseStrangers(config, owners, new Set(located.map(({ stored }) => stored)));
  return located;
}

function firstNotFinite(values: Float32Array): number {
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return index;
  return -1;
}

function missingTensor(name: string, shape: readonly number[], owners: ReadonlyMap<string, SafetensorsFile>): string {
  const expected = `tensor ${name} of shape [${shape.join(", ")}] is missing`;
  if (name === HEAD)
    return `${expected}; if the model shares it with ${EMBEDDING}, set tie_word_embeddings to true in config.json`;
  if (owners.has(name.replace(/^model\./, "")))
    return `${expected}, but ${name.replace(/^model\./, "")} is there: the model was saved without its head, save the causal-LM class`;
  return `${expected}; the weights do not belong to this config.json`;
}

/** A tensor that the model has no place for would be lost without a word, and with it the right results. */
async function refuseStrangers(
  config: ModelConfig,
  owners: ReadonlyMap<string, SafetensorsFile>,
  used: ReadonlySet<string>,
): Promise<void> {
  for (const [name, file] of owners) {
    if (used.has(name) || /rotary_emb\.inv_freq$|^score\.weight$/.test(name)) continue;
    if (name === HEAD && config.tiedEmbeddings) {
      const [head, embedding] = [await file.floats(HEAD), await owners.get(EMBEDDING)?.floats(EMBEDDING)];
      if (head.length === embedding?.length && head.every((value, i) => Object.is(value, embedding[i]))) continue;
      throw new UserError(
        `${file.file}: ${HEAD} differs from ${EMBEDDING}, but config.json ties them; set tie_word_embeddings to false`,
      );
    }
    throw new UserError(
      `${file.file}: tensor ${name} has no place in a ${config.architecture} model of ${config.layerCount} layers; the weights do not belong to this config.json`,
    );
  }
}
