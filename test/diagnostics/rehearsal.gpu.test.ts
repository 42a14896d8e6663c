import { expect, test } from "vitest";
import { rehearse } from "../../src/diagnostics/rehearsal";
import { createContext } from "../../src/gpu/context";
import { DESKTOP_LIMITS, dryContext, plannedProfile } from "../../src/gpu/dry";
import { KNOWN_SHAPES } from "../../src/model/known-shapes";
import { Model } from "../../src/model/model";
import { Optimizer } from "../../src/model/optimizer";
import { TrainingPass } from "../../src/model/policy-pass";
import { GpuDecoder } from "../../src/rollout/decoder";
import { testDevice } from "../support/device";

const SIZES = { pageSize: 8, logitsBytes: 2 ** 20 };

async function decodeStep(model: Model): Promise<void> {
  const settings = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: [1, 2] } as const;
  const decoder = new GpuDecoder(model, { ...SIZES, slots: 2, maxLength: 16, pages: 4, maxRows: 2 }, settings);
  const slots = Uint32Array.of(0, 1);
  const positions = Uint32Array.of(0, 0);
  await decoder.enqueue({ slots, positions, sampleRows: slots, sampleSlots: slots, trajectoryIds: slots });
}

async function trainingStep(model: Model): Promise<TrainingPass> {
  const pass = new TrainingPass(model, { ...SIZES, rows: 30, sequences: 2, sequenceLength: 16, recompute: false });
  const sequence = { ids: new Uint32Array(16), scored: new Uint8Array(16).fill(1) };
  await pass.forward([sequence, sequence], 1);
  pass.backward(new Float32Array(30));
  return pass;
}

test("a decode step and an optimizer step need no program that the rehearsal has not", async () => {
  const gpu = createContext(await testDevice());
  const model = new Model(gpu, KNOWN_SHAPES.nano, 16);
  await decodeStep(model);
  const pass = await trainingStep(model);
  const adamw = { learningRate: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxNorm: 1 };
  await new Optimizer(model).update(pass.gradients, adamw);

  const programs = await rehearse(gpu.profile, KNOWN_SHAPES.nano, { storage: "f32", trained: "everything" });
  const rehearsed = new Set(programs.map(({ code }) => code));
  expect(gpu.pipelines.texts.length).toBeGreaterThan(20);
  expect(gpu.pipelines.texts.filter(({ code }) => !rehearsed.has(code)).map(({ label }) => label)).toEqual([]);
});

test("a shape larger than the adapter's bindings is rehearsed all the same, with the phases of each program", async () => {
  const { profile } = await testDevice();
  const programs = await rehearse(profile, KNOWN_SHAPES["qwen2.5-7b"], { storage: "int4", trained: "adapter" });
  const phases = new Map(programs.map(({ label, phase }) => [label.replace(/\(.*/, ""), phase]));
  expect(phases.get("adamw")).toBe("optimizer");
  expect([...phases.keys()]).toContain("linear_input_gradient_subgroup as int4");
});

/** Dispatches that one more layer takes, on a hardware adapter. */
async function dispatchesPerLayer(of: (model: Model) => Promise<void>): Promise<number> {
  const counts: number[] = [];
  for (const layerCount of [2, 3]) {
    const gpu = dryContext({ ...plannedProfile(DESKTOP_LIMITS), hasSubgroups: true });
    const model = new Model(gpu, { ...KNOWN_SHAPES.nano, layerCount }, 16);
    const before = gpu.recorder.counters.dispatches;
    await of(model);
    counts.push(gpu.recorder.counters.dispatches - before);
  }
  const [fewer = Number.NaN, more = Number.NaN] = counts;
  return more - fewer;
}

test("dispatches of a layer on hardware: 8 in decode, 26 in a training step", async () => {
  expect(await dispatchesPerLayer(decodeStep)).toBe(8);
  expect(await dispatchesPerLayer(async (model) => void (await trainingStep(model)))).toBe(26);
});
