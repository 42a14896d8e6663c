/** Checkpoints with a value head made from those without. */
import { type ModelConfig, parameterShapes, VALUE_HEAD } from "./config";
import type { Checkpoint, CheckpointTensor } from "./folder";

/**
 * A language model's checkpoint with a value head: a critic of its own (`alone`), or the same model with both heads (`shared`). All tensors that the two have in
 * common are the checkpoint's; a value head that it has not is 0: then the first values are 0, so the first advantages are plain rewards and not the noise of an
 * untrained head.
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
