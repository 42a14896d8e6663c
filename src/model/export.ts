/** Export of a model for other programs: whole, its adapter merged into the weights, in files of bounded size. */
import { type AdapterConfig, adapterScale } from "./adapter";
import { parameterShapes, writeModelConfig } from "./config";
import type { CheckpointTensor, FolderWriter } from "./folder";
import type { ModelSource, StoredAdapter } from "./peft";
import { type DtypeName, FLOAT_BYTES, FLOAT_TYPES, type FloatType } from "./safetensors/dtype";
import { safetensorsChunks, type TensorToWrite } from "./safetensors/write";

/** Most bytes of one file's tensors, as in transformers. */
const SHARD_BYTES = 5e9;

/**
 * Writes config.json, companions and the weights: `W + scale B A` where there is an adapter, summed in f64 and rounded
 * once to f32 and once to `dtype`. A shared value head is left out: no other program has a place for it. One tensor is
 * in memory at a time, and the adapter.
 */
export async function exportModel(
  writer: FolderWriter,
  { checkpoint, adapter }: ModelSource,
  dtype: DtypeName,
  shardBytes = SHARD_BYTES,
): Promise<void> {
  const { valueHead: _, ...config } = checkpoint.config;
  const { companions } = checkpoint;
  const type = FLOAT_TYPES[dtype];
  const merge = adapter === undefined ? undefined : await mergerOf(adapter);
  const tensors = parameterShapes(config).map(
    ({ hfName, shape }): TensorToWrite => ({
      name: hfName,
      shape,
      dtype: type,
      async data() {
        const tensor = await checkpoint.tensor(hfName);
        return merge === undefined ? tensor.data : merge(tensor);
      },
    }),
  );
  await writer.write("config.json", `${JSON.stringify(writeModelConfig(config, dtype), null, 2)}\n`);
  for (const [name, text] of companions) await writer.write(name, text);
  const files = cutIntoFiles(tensors, type, shardBytes);
  const [only] = files;
  if (files.length === 1 && only !== undefined) {
    await writer.write("model.safetensors", safetensorsChunks(only));
    return;
  }
  const number = (value: number) => String(value).padStart(5, "0");
  const weightMap: Record<string, string> = {};
  for (const [index, file] of files.entries()) {
    const name = `model-${number(index + 1)}-of-${number(files.length)}.safetensors`;
    for (const tensor of file) weightMap[tensor.name] = name;
    await writer.write(name, safetensorsChunks(file));
  }
  const totalSize = tensors.reduce((sum, tensor) => sum + bytesOf(tensor, type), 0);
  const index = { metadata: { total_size: totalSize }, weight_map: weightMap };
  await writer.write("model.safetensors.index.json", `${JSON.stringify(index, null, 2)}\n`);
}

/** Gives a tensor's values with the product of the adapter that stands on it, if any. */
async function mergerOf(adapter: StoredAdapter): Promise<(tensor: CheckpointTensor) => Float32Array> {
  const parts = new Map<string, Float32Array>();
  for await (const { hfName, data } of adapter.tensors()) parts.set(hfName, data);
  return ({ hfName, data }) => {
    const down = parts.get(hfName.replace(/weight$/, "lora_A.weight"));
    const up = parts.get(hfName.replace(/weight$/, "lora_B.weight"));
    return down === undefined || up === undefined ? data : merged(data, up, down, adapter.config);
  };
}

/** matrix [rows, columns] + scale up [rows, rank] down [rank, columns] */
function merged(matrix: Float32Array, up: Float32Array, down: Float32Array, config: AdapterConfig): Float32Array {
  const { rank } = config;
  const scale = adapterScale(config);
  const columns = down.length / rank;
  const sums = new Float64Array(columns);
  const result = new Float32Array(matrix.length);
  for (let row = 0; row * rank < up.length; row++) {
    sums.set(matrix.subarray(row * columns, (row + 1) * columns));
    for (let r = 0; r < rank; r++) {
      // Indices end with the lists: `?? 0` is for the compiler, in a loop that runs for minutes.
      const factor = scale * (up[row * rank + r] ?? 0);
      for (let column = 0; column < columns; column++)
        sums[column] = (sums[column] ?? 0) + factor * (down[r * columns + column] ?? 0);
    }
    result.set(sums, row * columns);
  }
  return result;
}

/** In order, each file filled up to the bound; a larger tensor has one of its own. */
function cutIntoFiles(tensors: readonly TensorToWrite[], type: FloatType, shardBytes: number): TensorToWrite[][] {
  const files: TensorToWrite[][] = [];
  let filled = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor, type);
    if (filled + bytes > shardBytes) {
      files.push([]);
      filled = 0;
    }
    files.at(-1)?.push(tensor);
    filled += bytes;
  }
  return files;
}

function bytesOf({ shape }: TensorToWrite, type: FloatType): number {
  return shape.reduce((product, size) => product * size, FLOAT_BYTES[type]);
}
