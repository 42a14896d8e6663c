import { describe, expect, test, vi } from "vitest";
import type { GpuContext } from "../../src/gpu/context";
import { parameterShapes } from "../../src/model/config";
import type { Model } from "../../src/model/model";
import { Optimizer } from "../../src/model/optimizer";
import { ParameterValues } from "../../src/model/values";
import {
  bitsOf,
  CONFIGS,
  downloadAll,
  modelContext,
  modelOf,
  Numbers,
  randomTensors,
  relativeNormError,
} from "../support/reference/models";
import { at } from "../support/reference/tape";

const config = CONFIGS["qwen2, tied, biases"];
const settings = { learningRate: 3e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, maxNorm: 0 };

/** Gradients of step `seed`, whose tensors differ in scale by a thousand. */
function randomGradients(seed: number): Map<string, Float32Array> {
  const numbers = new Numbers(seed);
  return new Map(
    parameterShapes(config).map(({ hfName, shape }, index) => {
      const scale = 10 ** ((index % 4) - 3);
      return [hfName, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * numbers.normal())];
    }),
  );
}

function upload(values: ParameterValues, tensors: ReadonlyMap<string, Float32Array>): void {
  for (const { hfName, shape } of parameterShapes(config))
    values.upload({ hfName, shape, data: tensors.get(hfName) ?? new Float32Array() });
}

function build(gpu: GpuContext, maxBindingBytes?: number) {
  const limits = maxBindingBytes === undefined ? {} : { maxBindingBytes };
  const model = modelOf(gpu, config, randomTensors(config), limits);
  const gradients = new ParameterValues(gpu, model.layout, "gradients");
  const optimizer = new Optimizer(model);
  const destroy = () => {
    for (const part of [model, gradients, optimizer]) part.destroy();
  };
  return { model, gradients, optimizer, destroy };
}

async function stateOf(model: Model, optimizer: Optimizer): Promise<Map<string, Uint32Array>> {
  const state = new Map<string, Uint32Array>();
  for (const [part, values] of Object.entries({
    weight: model.weights,
    first: optimizer.firstMoment,
    second: optimizer.secondMoment,
  }))
    for (const [name, data] of await downloadAll(values)) state.set(`${part} ${name}`, bitsOf(data));
  return state;
}

describe("three steps equal AdamW in f64", () => {
  test.each([
    { maxNorm: 0, maxBindingBytes: undefined },
    { maxNorm: 0.5, maxBindingBytes: undefined },
    { maxNorm: 1e9, maxBindingBytes: 16384 },
    { maxNorm: 0.5, maxBindingBytes: 16384 },
  ])("clipped at $maxNorm, bindings of $maxBindingBytes bytes", async ({ maxNorm, maxBindingBytes }) => {
    const gpu = await modelContext();
    const { model, gradients, optimizer, destroy } = build(gpu, maxBindingBytes);
    if (maxBindingBytes !== undefined) expect(model.layout.segments.length).toBeGreaterThan(2);
    const start = new Map(randomTensors(config).map(({ hfName, data }) => [hfName, Float64Array.from(data)]));
    const weights = new Map([...start].map(([name, data]) => [name, data.slice()]));
    const first = new Map([...start].map(([name, data]) => [name, new Float64Array(data.length)]));
    const second = new Map([...start].map(([name, data]) => [name, new Float64Array(data.length)]));
    for (let step = 1; step <= 3; step++) {
      const gradient = randomGradients(step);
      upload(gradients, gradient);
      const norm = Math.sqrt([...gradient.values()].reduce((sum, g) => sum + g.reduce((s, x) => s + x * x, 0), 0));
      const measured = await optimizer.update(gradients, { ...settings, maxNorm });
      expect(Math.abs(measured / norm - 1)).toBeLessThan(1e-6);
      expect(optimizer.step).toBe(step);
      const factor = maxNorm > 0 ? Math.min(1, maxNorm / norm) : 1;
      for (const { hfName, shape } of parameterShapes(config)) {
        const [w, m, v] = [weights.get(hfName), first.get(hfName), second.get(hfName)];
        const raw = gradient.get(hfName);
        if (!w || !m || !v || !raw) throw new Error(`no ${hfName}`);
        raw.forEach((value, i) => {
          const g = value * factor;
          m[i] = settings.beta1 * at(m, i) + (1 - settings.beta1) * g;
          v[i] = settings.beta2 * at(v, i) + (1 - settings.beta2) * g * g;
          const mean = at(m, i) / (1 - settings.beta1 ** step);
          const spread = Math.sqrt(at(v, i) / (1 - settings.beta2 ** step));
          const decay = shape.length === 2 ? settings.weightDecay * at(w, i) : 0;
          w[i] = at(w, i) - settings.learningRate * (mean / (spread + settings.epsilon) + decay);
        });
      }
    }
    for (const [name, data] of await downloadAll(model.weights)) {
      const origin = start.get(name) ?? new Float64Array();
      const moved = Float64Array.from(data, (value, i) => value - at(origin, i));
      const wanted = (weights.get(name) ?? new Float64Array()).map((value, i) => value - at(origin, i));
      // The change is about 1e-2 of weights whose last bit is 1e-7 of them.
      expect(relativeNormError(moved, wanted), name).toBeLessThan(5e-5);
    }
    for (const [name, data] of await downloadAll(optimizer.firstMoment))
      expect(relativeNormError(data, first.get(name) ?? []), name).toBeLessThan(1e-6);
    for (const [name, data] of await downloadAll(optimizer.secondMoment))
      expect(relativeNormError(data, second.get(name) ?? []), name).toBeLessThan(1e-6);
    destroy();
  });
});

test("shards do not change an unclipped step by a bit", async () => {
  const gpu = await modelContext();
  const states: Map<string, Uint32Array>[] = [];
  for (const maxBindingBytes of [undefined, 16384]) {
    const { model, gradients, optimizer, destroy } = build(gpu, maxBindingBytes);
    upload(gradients, randomGradients(5));
    await optimizer.update(gradients, settings);
    states.push(await stateOf(model, optimizer));
    destroy();
  }
  expect(states[1]).toEqual(states[0]);
});

describe("a gradient norm that is not finite leaves everything as it was", () => {
  // The last is finite itself, but its square is not.
  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30])("%s", async (bad) => {
    const gpu = await modelContext();
    const { model, gradients, optimizer, destroy } = build(gpu);
    upload(gradients, randomGradients(1));
    await optimizer.update(gradients, { ...settings, maxNorm: 1 });
    const before = await stateOf(model, optimizer);
    const gradient = randomGradients(2);
    const spoilt = gradient.get("model.layers.1.mlp.up_proj.weight") ?? new Float32Array();
    spoilt[17] = bad;
    upload(gradients, gradient);
    expect(Number.isFinite(await optimizer.update(gradients, { ...settings, maxNorm: 1 }))).toBe(false);
    expect(optimizer.step).toBe(1);
    expect(await stateOf(model, optimizer)).toEqual(before);
    upload(gradients, randomGradients(2));
    expect(await optimizer.update(gradients, { ...settings, maxNorm: 1 })).toBeGreaterThan(0);
    expect(optimizer.step).toBe(2);
    expect(await stateOf(model, optimizer)).not.toEqual(before);
    destroy();
  });
});

test("a gradient of 0 moves weights by their decay only", async () => {
  const gpu = await modelContext();
  const { model, gradients, optimizer, destroy } = build(gpu);
  expect(await optimizer.update(gradients, { ...settings, maxNorm: 1 })).toBe(0);
  const start = new Map(randomTensors(config).map(({ hfName, data }) => [hfName, data]));
  for (const { hfName, shape } of parameterShapes(config)) {
    const factor = shape.length === 2 ? 1 - settings.learningRate * settings.weightDecay : 1;
    const wanted = Array.from(start.get(hfName) ?? [], (value) => value * factor);
    expect(relativeNormError(await model.weights.download(hfName), wanted), hfName).toBeLessThan(1e-7);
  }
  destroy();
});

test("an update whose norm cannot be read does not stay under way", async () => {
  const gpu = await modelContext();
  const { gradients, optimizer, destroy } = build(gpu);
  gradients.clear();
  const reading = vi.spyOn(gpu.readback, "readFloats").mockRejectedValueOnce(new Error("the device was lost"));
  const update = optimizer.update(gradients, settings);
  expect(optimizer.version).toBe(1);
  await expect(update).rejects.toThrow("the device was lost");
  expect(optimizer.version).toBe(0);
  reading.mockRestore();
  destroy();
});

test("gradients of another layout are refused, not taken for zeros", async () => {
  const gpu = await modelContext();
  const { model, optimizer, destroy } = build(gpu, 4096);
  const other = modelOf(gpu, config, randomTensors(config));
  const gradients = new ParameterValues(gpu, other.layout, "gradients");
  expect(model.layout.segments.length).toBeGreaterThan(other.layout.segments.length);
  await expect(optimizer.update(gradients, settings)).rejects.toThrow(RangeError);
  for (const part of [gradients, other]) part.destroy();
  destroy();
});
