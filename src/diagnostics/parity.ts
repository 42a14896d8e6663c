/** What this program computes for given token ids, as tensors that any other implementation can be held against. */

import { UserError } from "../base/errors";
import { at } from "../base/must";
import type { GpuContext } from "../gpu/context";
import type { FolderReader } from "../model/folder";
import { Model } from "../model/model";
import { readModel } from "../model/peft";
import { TrainingPass } from "../model/policy-pass";
import type { TensorToWrite } from "../model/safetensors/write";
import { SequenceScorer } from "../model/sequence-scorer";
import { type DtypeOptions, storageOf } from "../options/fields/adapter";

const LOGITS_BYTES = 64 * 2 ** 20;
const PAGE_SIZE = 8;

/** Sequences of token ids, and for each token its coefficient where gradients are wanted. */
export interface ParityInput {
  readonly ids: readonly Uint32Array[];
  /** Same shape as `ids`. The first coefficient of a sequence belongs to a log-prob that is 0 by definition. */
  readonly coefficients?: readonly Float32Array[];
}

export interface ParityTensors {
  /**
   * `logits.<i>` [T_i, vocabulary]: of the token after each; `logprobs.<i>` [T_i]: of each token, the first 0; over all
   * rows of the embedding at temperature 1. With coefficients `grad.<name>`: gradient of sum_t coefficient_t *
   * logprob_t over all sequences, by Hugging Face name. Values are computed when they are read.
   */
  readonly tensors: readonly TensorToWrite[];
  destroy(): void;
}

/**
 * Opens a checkpoint and prepares its tensors; gradients are accumulated at once. A tokenizer is not needed.
 * @throws UserError when an id is beyond the vocabulary or a sequence longer than the model's positions
 */
export async function parityTensors(
  gpu: GpuContext,
  folder: FolderReader,
  find: (nameOrPath: string) => FolderReader,
  { dtype }: DtypeOptions,
  input: ParityInput,
): Promise<ParityTensors> {
  const { checkpoint, adapter } = await readModel(folder, find);
  const { config } = checkpoint;
  const longest = Math.max(1, ...input.ids.map((ids) => ids.length));
  if (longest > config.maxPositions)
    throw new UserError(
      `a sequence has ${longest} tokens, ${folder.path} only ${config.maxPositions} positions; give shorter ones`,
    );
  input.ids.forEach((ids, sequence) => {
    const position = ids.findIndex((id) => id >= config.vocabularySize);
    if (position >= 0)
      throw new UserError(
        `sequence ${sequence}, token ${position}: id ${ids[position]} does not exist; ${folder.path} has ids 0 to ${config.vocabularySize - 1}`,
      );
  });
  const model = new Model(gpu, config, longest, {
    storage: storageOf[dtype],
    trained: adapter?.config ?? (input.coefficients === undefined ? "nothing" : "everything"),
  });
  await model.load(checkpoint);
  if (adapter !== undefined) for await (const tensor of adapter.tensors()) model.trained.upload(tensor);
  const pass =
    input.coefficients === undefined ? undefined : await accumulate(model, input.ids, input.coefficients, longest);
  const scorer = new SequenceScorer(model, longest, LOGITS_BYTES);
  gpu.assertHealthy();
  return {
    tensors: [
      ...input.ids.flatMap((ids, sequence): TensorToWrite[] => [
        { name: `logits.${sequence}`, shape: [ids.length, config.vocabularySize], data: () => scorer.logits(ids) },
        { name: `logprobs.${sequence}`, shape: [ids.length], data: () => scorer.logprobs(ids) },
      ]),
      ...(pass?.gradients.toWrite((name) => `grad.${name}`) ?? []),
    ],
    destroy() {
      for (const part of [pass, scorer, model]) part?.destroy();
    },
  };
}

/** One sequence at a time, so that memory follows the longest. */
async function accumulate(
  model: Model,
  sequences: readonly Uint32Array[],
  coefficients: readonly Float32Array[],
  longest: number,
): Promise<TrainingPass> {
  const pass = new TrainingPass(model, {
    rows: longest,
    sequences: 1,
    sequenceLength: longest,
    pageSize: PAGE_SIZE,
    recompute: true,
    logitsBytes: LOGITS_BYTES,
  });
  pass.clearGradients();
  for (const [index, ids] of sequences.entries()) {
    if (ids.length < 2) continue;
    await pass.forward([{ ids, scored: Uint8Array.from(ids, (_, position) => Number(position > 0)) }], 1);
    pass.backward(at(coefficients, index).subarray(1));
  }
  return pass;
}
