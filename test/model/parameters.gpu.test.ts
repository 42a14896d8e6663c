import { describe, expect, test } from "vitest";
import { type ModelConfig, parameterCount, parameterShapes } from "../../src/model/config";
import { ParameterLayout } from "../../src/model/parameters";
import { bytesSource, SafetensorsFile } from "../../src/model/safetensors/read";
import { encodeSafetensors } from "../../src/model/safetensors/write";
import { ParameterValues } from "../../src/model/values";
import { bitsOf, CONFIGS, modelContext, Numbers } from "../support/reference/models";

/** Any bits, subnormals and infinities and NaNs among them. */
function randomWords(config: ModelConfig): Map<string, Float32Array> {
  const numbers = new Numbers(3);
  return new Map(
    parameterShapes(config).map(({ hfName, shape }) => {
      const words = Uint32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => numbers.uniform() * 2 ** 32);
      return [hfName, new Float32Array(words.buffer)];
    }),
  );
}

const f32 = (maxBindingBytes: number) => ({ maxBindingBytes, storage: "f32", trained: true }) as const;

describe.each([undefined, 2048])("one binding holds %s bytes", (maxBindingBytes) => {
  test.each(Object.entries(CONFIGS))("every tensor comes back bit for bit: %s", async (_, config) => {
    const gpu = await modelContext();
    const layout = new ParameterLayout(config, f32(maxBindingBytes ?? gpu.profile.limits.maxStorageBufferBindingSize));
    const values = new ParameterValues(gpu, layout, "values");
    const words = randomWords(config);
    for (const { hfName, shape } of parameterShapes(config))
      values.upload({ hfName, shape, data: words.get(hfName) ?? new Float32Array() });
    for (const [hfName, data] of words) expect(bitsOf(await values.download(hfName)), hfName).toEqual(bitsOf(data));
    values.clear();
    for (const hfName of words.keys())
      expect(
        bitsOf(await values.download(hfName)).every((word) => word === 0),
        hfName,
      ).toBe(true);
    const before = gpu.allocator.allocatedBytes;
    values.destroy();
    const bytes = layout.segments.reduce((sum, { length }) => sum + length * 4, 0);
    expect(before - gpu.allocator.allocatedBytes).toBe(bytes);
  });

  test.each(Object.entries(CONFIGS))("layout: %s", (_, config) => {
    const limit = maxBindingBytes ?? 2 ** 27;
    const layout = new ParameterLayout(config, f32(limit));
    const parameters = new Set([...layout.tensors].map(({ parameter }) => parameter));
    const ranges = [...parameters].flatMap(({ columns, shards }) =>
      shards.map(({ segment, begin, rows }) => ({ segment, begin: begin * 4, end: (begin + rows * columns) * 4 })),
    );
    ranges.sort((a, b) => a.segment - b.segment || a.begin - b.begin);
    ranges.forEach((range, i) => {
      const next = ranges[i + 1];
      expect(range.begin % 256).toBe(0);
      expect(range.end).toBeLessThanOrEqual((layout.segments[range.segment]?.length ?? 0) * 4);
      if (next?.segment === range.segment) expect(range.end).toBeLessThanOrEqual(next.begin);
    });
    expect(ranges.reduce((sum, { begin, end }) => sum + (end - begin) / 4, 0)).toBe(parameterCount(config));
    for (const { length, decayEnd } of layout.segments) {
      expect(length * 4).toBeLessThanOrEqual(limit);
      expect(decayEnd).toBeLessThanOrEqual(length);
    }
    // Matrices decay, gains and biases do not.
    for (const { shape, parameter, hfName } of layout.tensors)
      for (const { segment, begin } of parameter.shards)
        expect(begin < (layout.segments[segment]?.decayEnd ?? 0), hfName).toBe(shape.length === 2);
  });
});

test("tensors are written to a file under the names the caller gives them", async () => {
  const gpu = await modelContext();
  const config = CONFIGS["qwen2, tied, biases"];
  const values = new ParameterValues(gpu, new ParameterLayout(config, f32(4096)), "values");
  const words = randomWords(config);
  for (const { hfName, shape } of parameterShapes(config))
    values.upload({ hfName, shape, data: words.get(hfName) ?? new Float32Array() });
  const bytes = await encodeSafetensors(values.toWrite((name) => `first_moment.${name}`));
  const file = await SafetensorsFile.open(bytesSource(bytes), "file");
  expect([...file.header.tensors.keys()].sort()).toEqual(
    [...words.keys()].map((name) => `first_moment.${name}`).sort(),
  );
  for (const [name, data] of words)
    expect(bitsOf(await file.floats(`first_moment.${name}`)), name).toEqual(bitsOf(data));
  values.destroy();
});

test("a name that is no tensor of the model is refused", async () => {
  const gpu = await modelContext();
  const values = new ParameterValues(gpu, new ParameterLayout(CONFIGS["llama, tied"], f32(2 ** 20)), "values");
  await expect(values.download("lm_head.weight")).rejects.toThrow("lm_head.weight is no tensor");
  values.destroy();
});
