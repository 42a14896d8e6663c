/**
 * A run without a GPU: the classes that a run is made of record one batch of every kind in a dry context. What they
 * ask for is what a run of such a model can need on a device of that profile: its programs, in the order of need, and
 * the dispatches of each phase.
 */
import type { WeightStorage } from "../../kernels/weight_storage";
import { dryContext } from "../gpu/dry";
import type { PipelineText } from "../gpu/pipelines";
import type { DeviceProfile } from "../gpu/profile";
import { type AdapterConfig, adapterTargets } from "../model/adapter";
import type { ModelConfig } from "../model/config";
import { Model } from "../model/model";
import { Optimizer, optimizerKinds } from "../model/optimizer";
import { TrainingPass } from "../model/policy-pass";
import { ValuePass } from "../model/value-pass";
import { GpuDecoder } from "../rollout/decoder";

/** How a model is kept and trained. */
export interface RehearsedMode {
  readonly storage: WeightStorage;
  readonly trained: "everything" | "adapter";
}

export const rehearsedPhases = ["prefill", "decode", "forward", "backward", "optimizer"] as const;
export type RehearsedPhase = (typeof rehearsedPhases)[number];

/** A program that a run needs, and the first phase that needs it. */
export interface RehearsedProgram extends PipelineText {
  readonly phase: RehearsedPhase;
}

/** Every way of keeping and training weights. */
export const REHEARSED_MODES: readonly RehearsedMode[] = [
  ...(["f32", "f16", "bf16"] as const).map((storage) => ({ storage, trained: "everything" as const })),
  ...(["f32", "f16", "bf16", "int8", "int4"] as const).map((storage) => ({ storage, trained: "adapter" as const })),
];

const ADAPTER: AdapterConfig = { rank: 16, alpha: 32, targets: adapterTargets };
const PAGE_SIZE = 8;
const PROMPT = 512;
const SEQUENCES = 64;
const ROWS = 2048;
const LOGITS_BYTES = 64 * 2 ** 20;
const MOST_BYTES = 2 ** 40;
const PLAIN = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: [1, 2] } as const;

/** The programs of a run with 64 sequences at a time and micro-batches of 2,048 rows. */
export async function rehearse(
  profile: DeviceProfile,
  config: ModelConfig,
  { storage, trained }: RehearsedMode,
): Promise<RehearsedProgram[]> {
  // Weights are cut into shards as on the device; all else may be as large as it must.
  const { maxStorageBufferBindingSize: maxBindingBytes } = profile.limits;
  const limits = { ...profile.limits, maxStorageBufferBindingSize: MOST_BYTES, maxBufferSize: MOST_BYTES };
  const gpu = dryContext({ ...profile, limits });
  const programs: RehearsedProgram[] = [];
  const phase = async (name: RehearsedPhase, body: () => unknown) => {
    const begin = gpu.pipelines.texts.length;
    await body();
    for (const text of gpu.pipelines.texts.slice(begin)) programs.push({ ...text, phase: name });
  };
  const length = Math.min(config.maxPositions, 2 * PROMPT);
  const prompt = Math.min(PROMPT, length >> 1);
  const model = new Model(gpu, config, length, {
    storage,
    trained: trained === "adapter" ? ADAPTER : trained,
    maxBindingBytes,
  });

  const decoder = decoderOf(model, prompt, length);
  const slots = Uint32Array.from({ length: SEQUENCES }, (_, slot) => slot);
  await phase("prefill", () => {
    const positions = Uint32Array.from({ length: prompt }, (_, position) => position);
    return decoder.enqueue({
      slots: new Uint32Array(prompt),
      positions,
      sampleRows: Uint32Array.of(prompt - 1),
      sampleSlots: Uint32Array.of(0),
      trajectoryIds: Uint32Array.of(0),
    });
  });
  await phase("decode", async () => {
    decoder.copyPages(Uint32Array.of(0), Uint32Array.of(1));
    const positions = new Uint32Array(SEQUENCES).fill(prompt);
    for (const settings of [PLAIN, { ...PLAIN, topP: 0.9 }]) {
      decoder.sampleWith(settings);
      await decoder.enqueue({ slots, positions, sampleRows: slots, sampleSlots: slots, trajectoryIds: slots });
    }
  });

  const pass = new TrainingPass(model, trainingShape(length));
  const batch = Array.from({ length: Math.floor(ROWS / length) }, () => ({
    ids: new Uint32Array(length),
    scored: new Uint8Array(length).fill(1, prompt),
  }));
  await phase("forward", () => pass.forward(batch, 1));
  await phase("backward", async () => {
    const coefficients = new Float32Array(batch.length * (length - prompt));
    pass.backward(coefficients);
    await pass.forward(batch, 1);
    pass.backward(coefficients, coefficients);
  });
  await phase("optimizer", async () => {
    for (const kind of optimizerKinds) await new Optimizer(model, kind).update(pass.gradients, UPDATE);
  });
  if (trained === "everything") {
    const critic = new Model(gpu, { ...config, valueHead: "alone" }, length, {
      storage,
      label: "critic",
      maxBindingBytes,
    });
    const values = new ValuePass(critic, pass);
    await phase("forward", () => values.forward(batch));
    await phase("backward", () => values.backward(new Float32Array(batch.length * (length - prompt))));
  }
  return programs;
}

const UPDATE = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxNorm: 1 };

function decoderOf(model: Model, prompt: number, length: number): GpuDecoder {
  const pages = SEQUENCES * Math.ceil(length / PAGE_SIZE);
  return new GpuDecoder(
    model,
    {
      slots: SEQUENCES,
      maxLength: length,
      pageSize: PAGE_SIZE,
      pages,
      maxRows: Math.max(SEQUENCES, prompt),
      logitsBytes: LOGITS_BYTES,
    },
    PLAIN,
  );
}

function trainingShape(sequenceLength: number) {
  return {
    rows: ROWS,
    sequences: Math.floor(ROWS / sequenceLength),
    sequenceLength,
    pageSize: PAGE_SIZE,
    recompute: false,
    logitsBytes: LOGITS_BYTES,
  };
}
