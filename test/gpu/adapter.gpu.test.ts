import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { OpenDevice } from "../../src/gpu/device";
import { closeNodeDevice, openNodeDevice } from "../../src/platform/node/adapter";
import { hasSwiftShader, unpackSwiftShader } from "../../src/platform/node/adapter-swiftshader";
import { tarFiles } from "../../src/platform/tar";
import { testDevice } from "../support/device";
import { tempFolder } from "../support/temp-folder";

const silent = { announce: () => {} };
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Squares five numbers on the device. */
async function squares({ device }: Pick<OpenDevice, "device">): Promise<number[]> {
  const input = new Float32Array([0, 1, -2, 3.5, 1024]);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const values = device.createBuffer({ size: input.byteLength, usage });
  const staging = device.createBuffer({
    size: input.byteLength,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(values, 0, input);
  const module = device.createShaderModule({
    code: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        if (id.x < arrayLength(&x)) { x[id.x] = x[id.x] * x[id.x]; }
      }`,
  });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const layout = pipeline.getBindGroupLayout(0);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: values } }] }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(values, 0, staging, 0, input.byteLength);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const result = [...new Float32Array(staging.getMappedRange())];
  values.destroy();
  staging.destroy();
  return result;
}

/** A buffer that validation refuses: MAP_READ goes with COPY_DST only. */
async function makeInvalidBuffer({ device }: Pick<OpenDevice, "device">): Promise<void> {
  device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
  await device.queue.onSubmittedWorkDone();
}

describe("the adapter under test", () => {
  test("computes", async () => {
    expect(await squares(await testDevice())).toEqual([0, 1, 4, 12.25, 1048576]);
  });

  test("is described by a consistent profile", async () => {
    const { device, profile } = await testDevice();
    expect(profile.adapterName).not.toBe("");
    expect(profile.hasF16).toBe(device.features.has("shader-f16"));
    expect(Math.log2(profile.subgroupMinSize) % 1).toBe(0);
    expect(profile.subgroupMaxSize).toBeGreaterThanOrEqual(profile.subgroupMinSize);
    expect(profile.rowLanes).toBe(profile.isSoftware ? 1 : 64);
    expect(profile.tiles).toBe(profile.isSoftware ? "register" : "workgroup");
    expect(profile.limits.minStorageBufferOffsetAlignment).toBe(256);
  });

  test("gives more than WebGPU's default limits where the adapter has more", async () => {
    const { limits } = (await testDevice()).profile;
    expect(limits.maxBufferSize).toBeGreaterThan(256 << 20);
    expect(limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 << 20);
    expect(limits.maxStorageBuffersPerShaderStage).toBeGreaterThan(8);
  });

  test("gives timestamps in nanoseconds, not rounded", async ({ skip }) => {
    const { device, profile } = await testDevice();
    skip(!profile.hasTimestamps, "the adapter has no timestamps");
    const queries = device.createQuerySet({ type: "timestamp", count: 2 });
    const resolved = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const staging = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder
      .beginComputePass({
        timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
      })
      .end();
    encoder.resolveQuerySet(queries, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const times = [...new BigUint64Array(staging.getMappedRange())];
    expect(times.some((time) => time % 65536n !== 0n)).toBe(true);
  });
});

describe("errors of a device", () => {
  test("the first one is kept, thrown and told once", async () => {
    const opened = await openNodeDevice(silent);
    const told = vi.fn();
    const toldNot = vi.fn();
    opened.failure.onFailure(told);
    opened.failure.onFailure(toldNot)();
    expect(() => opened.failure.assertHealthy()).not.toThrow();
    await makeInvalidBuffer(opened);
    await makeInvalidBuffer(opened);
    expect(opened.failure.error).toMatchObject({ name: "GpuError", kind: "validation" });
    expect(() => opened.failure.assertHealthy()).toThrow(/GPU error: .*MapRead/s);
    expect(told).toHaveBeenCalledTimes(1);
    expect(toldNot).not.toHaveBeenCalled();
    const late = vi.fn();
    opened.failure.onFailure(late);
    expect(late).toHaveBeenCalledExactlyOnceWith(opened.failure.error);
    closeNodeDevice(opened);
  });

  test("closing a device is none", async () => {
    const opened = await openNodeDevice(silent);
    closeNodeDevice(opened);
    await opened.device.lost;
    expect(opened.failure.error).toBeUndefined();
  });
});

test("the fast profile leaves validation out and computes the same", async () => {
  const opened = await openNodeDevice({ ...silent, toggles: "fast" });
  expect(opened.profile.toggles).toBe("fast");
  expect(await squares(opened)).toEqual([0, 1, 4, 12.25, 1048576]);
  await makeInvalidBuffer(opened);
  expect(opened.failure.error).toBeUndefined();
  closeNodeDevice(opened);
});

describe("choice of the adapter", () => {
  test("a name that no adapter has lists those there are", async () => {
    const opening = openNodeDevice({ ...silent, adapter: "no such adapter" });
    await expect(opening).rejects.toMatchObject({ name: "UserError" });
    await expect(opening).rejects.toThrow(/No adapter matches "no such adapter".*Adapters on this machine: /);
  });

  test("the option goes before the variable", async () => {
    vi.stubEnv("ZEROTIR_ADAPTER", "from the variable");
    await expect(openNodeDevice(silent)).rejects.toThrow(/"from the variable"/);
    await expect(openNodeDevice({ ...silent, adapter: "from the option" })).rejects.toThrow(/"from the option"/);
  });

  test("software is never chosen in silence, hardware never announced", async () => {
    vi.stubEnv("ZEROTIR_ADAPTER", "");
    const lines: string[] = [];
    const opened = await openNodeDevice({ announce: (line) => lines.push(line) });
    expect(lines.length).toBe(opened.profile.isSoftware ? 1 : 0);
    closeNodeDevice(opened);
  });
});

describe.skipIf(!hasSwiftShader())("SwiftShader from the npm package", () => {
  test("is the announced fallback of a system without drivers", async () => {
    vi.stubEnv("ZEROTIR_ADAPTER", "");
    vi.stubEnv("VK_DRIVER_FILES", "/nonexistent");
    vi.stubEnv("VK_ICD_FILENAMES", "/nonexistent");
    const lines: string[] = [];
    const opened = await openNodeDevice({ announce: (line) => lines.push(line) });
    expect(lines).toEqual([expect.stringContaining("SwiftShader from @sparticuz/chromium")]);
    expect(opened.profile).toMatchObject({ isSoftware: true, vendor: "google" });
    expect(await squares(opened)).toEqual([0, 1, 4, 12.25, 1048576]);
    expect(process.env.VK_DRIVER_FILES).toBe("/nonexistent");
    closeNodeDevice(opened);
  });

  test("is not announced when it was asked for", async () => {
    const announce = vi.fn();
    const opened = await openNodeDevice({ adapter: "swiftshader", announce });
    expect(opened.profile.adapterName).toMatch(/swiftshader/i);
    expect(announce).not.toHaveBeenCalled();
    closeNodeDevice(opened);
  });

  test("is unpacked once, with nothing left over", () => {
    const cache = tempFolder();
    vi.stubEnv("XDG_CACHE_HOME", cache);
    const first = unpackSwiftShader();
    expect(first.icd.startsWith(cache)).toBe(true);
    expect(JSON.parse(readFileSync(first.icd, "utf8"))).toMatchObject({
      ICD: { library_path: expect.stringMatching(/^\//) },
    });
    expect(readdirSync(join(cache, "zerotir"))).toHaveLength(1);
    writeFileSync(first.loader, "touched");
    expect(unpackSwiftShader()).toEqual(first);
    expect(readFileSync(first.loader, "utf8")).toBe("touched");
  });

  test("goes to the temporary folder when the cache cannot be written", () => {
    const temporary = tempFolder();
    vi.stubEnv("XDG_CACHE_HOME", "/dev/null");
    vi.stubEnv("TMPDIR", temporary);
    expect(unpackSwiftShader().icd.startsWith(temporary)).toBe(true);
    vi.stubEnv("TMPDIR", "/dev/null");
    expect(() => unpackSwiftShader()).toThrow(/could not be unpacked.*\/dev\/null\/zerotir: .*; \/dev\/null\/zerotir-/);
  });
});

describe("tar reader", () => {
  function entry(name: string, body: string, type = "0"): Uint8Array {
    const block = new Uint8Array(512 + Math.ceil(body.length / 512) * 512);
    const put = (text: string, at: number) => block.set(new TextEncoder().encode(text), at);
    put(name, 0);
    put(body.length.toString(8).padStart(11, "0"), 124);
    put(" ".repeat(8), 148);
    put(type, 156);
    const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    put(body, 512);
    return block;
  }
  const archive = new Uint8Array(
    Buffer.concat([entry("./a", "one"), entry("d/", "", "5"), entry("b", "x".repeat(513)), new Uint8Array(1024)]),
  );

  test("gives the files and skips folders", () => {
    const files = [...tarFiles(archive)].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]);
    expect(files).toEqual([
      ["a", "one"],
      ["b", "x".repeat(513)],
    ]);
  });

  test("refuses damage", () => {
    expect(() => tarFiles(archive.subarray(0, 2048))).toThrow(/cut short/);
    const damaged = archive.slice();
    damaged[0] = 0x2f;
    expect(() => tarFiles(damaged)).toThrow(/checksum at byte 0/);
  });
});
