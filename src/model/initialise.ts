/** Initial weights, where no checkpoint gives them: a model from scratch, an adapter, a value head. */
import { at } from "../base/must";
import type { AdapterLayout } from "./adapter";
import type { ModelConfig } from "./config";
import { parameterShapes, VALUE_HEAD } from "./config";
import type { Checkpoint, CheckpointTensor } from "./folder";

/**
 * Gains 1, biases 0, matrices normal with standard deviation `0.02`, and 0.02 / sqrt(2 layers) where a layer writes
 * into the residual stream (GPT-2's rule). A value head is 0: see {@link withValueHead}. The same seed gives the same
 * weights.
 */
export function* initialWeights(config: ModelConfig, seed: number): Generator<CheckpointTensor> {
  const normal = normalNumbers(seed);
  for (const { hfName, shape } of parameterShapes(config)) {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    if (hfName === VALUE_HEAD) {
      yield { hfName, shape, data };
      continue;
    }
    if (shape.length === 1) data.fill(hfName.endsWith(".bias") ? 0 : 1);
    else {
      const intoResidual = /(o_proj|down_proj)\.weight$/.test(hfName);
      const deviation = intoResidual ? 0.02 / Math.sqrt(2 * config.layerCount) : 0.02;
      for (let i = 0; i < data.length; i++) data[i] = normal() * deviation;
    }
    yield { hfName, shape, data };
  }
}

/**
 * A new adapter, which changes nothing: A uniform within 1 / sqrt(columns), as PEFT draws it, B all 0. The same seed
 * gives the same values.
 */
export function* initialAdapter(layout: AdapterLayout, seed: number): Generator<CheckpointTensor> {
  const uniform = uniformNumbers(seed);
  for (const { hfName, shape } of layout.tensors) {
    const [rows, columns] = [at(shape, 0), at(shape, 1)];
    const bound = 1 / Math.sqrt(columns);
    const isUp = hfName.endsWith(".lora_B.weight");
    const data = Float32Array.from({ length: rows * columns }, () => (isUp ? 0 : (2 * uniform() - 1) * bound));
    yield { hfName, shape, data };
  }
}

/**
 * A language model's checkpoint with a value head: a critic of its own (`alone`), or the same model with both heads
 * (`shared`). All tensors that the two have in common are the checkpoint's; a value head that it has not is 0: then the
 * first values are 0, so the first advantages are plain rewards and not the noise of an untrained head.
 */
export function withValueHead(checkpoint: Checkpoint, valueHead: NonNullable<ModelConfig["valueHead"]>): Checkpoint {
  const config = { ...checkpoint.config, valueHead };
  const shapes = parameterShapes(config);
  const isNew = checkpoint.config.valueHead === undefined;
  const tensor = async (hfName: string): Promise<CheckpointTensor> =>
    hfName === VALUE_HEAD && isNew
      ? { hfName, shape: [1, config.hiddenSize], data: new Float32Array(config.hiddenSize) }
      : checkpoint.tensor(hfName);
  return {
    ...checkpoint,
    config,
    tensor,
    async *tensors() {
      for (const { hfName } of shapes) yield await tensor(hfName);
    },
  };
}

/** Numbers in [0, 1) from a 32-bit counter generator. */
function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers by Box and Muller. */
function normalNumbers(seed: number): () => number {
  const uniform = uniformNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
