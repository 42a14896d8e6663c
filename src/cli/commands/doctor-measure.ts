import type { OpenDevice } from "../../gpu/device";

/** What `zerotir doctor` measures; medians, in about two seconds altogether. */
export interface Measured {
  /** Fused multiply-adds in registers, no memory traffic: the f32 roof of this adapter, two operations each. */
  readonly fmaGflops: number;
  /** f32 matrix product from 4 x 4 register tiles. */
  readonly matmulGflops: number;
  /** Side of the square matrices of that product. */
  readonly matmulSize: number;
  /** Bytes read plus bytes written by a copy kernel, in 10^9 per second. */
  readonly copyGBs: number;
  /** Microseconds per dispatch in a pass of many tiny ones. */
  readonly dispatchMicros: number;
  /** Milliseconds from submitting a tiny copy to holding its bytes. */
  readonly readbackMillis: number;
}

const FMA_STEPS = 256;
const FMA_CHAINS = 8;

/** Eight independent vec4 chains per invocation hide the latency of each; the sum is stored so that none can be dropped. */
const FMA = `
@group(0) @binding(0) var<storage, read_write> result: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let seed = vec4f(f32(id.x & 7u)) * 0.125;
  let scale = vec4f(0.5);
  ${Array.from({ length: FMA_CHAINS }, (_, i) => `var c${i} = seed + ${i}.0;`).join(" ")}
  for (var step = 0u; step < ${FMA_STEPS}u; step++) {
    ${Array.from({ length: FMA_CHAINS }, (_, i) => `c${i} = fma(c${i}, scale, seed);`).join(" ")}
  }
  result[id.x] = ${Array.from({ length: FMA_CHAINS }, (_, i) => `c${i}`).join(" + ")};
}`;

/** C = A B for n x n matrices, row-major; an invocation owns 4 x 4 elements and adds over k in order. */
const matmul = (n: number) => `
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let width = ${n / 4}u;
  let row = id.y * 4u;
  var c0 = vec4f(); var c1 = vec4f(); var c2 = vec4f(); var c3 = vec4f();
  for (var k = 0u; k < width; k++) {
    let a0 = a[row * width + k];
    let a1 = a[(row + 1u) * width + k];
    let a2 = a[(row + 2u) * width + k];
    let a3 = a[(row + 3u) * width + k];
${["x", "y", "z", "w"]
  .map(
    (lane, i) => `
    let b${i} = b[(k * 4u + ${i}u) * width + id.x];
    c0 = fma(vec4f(a0.${lane}), b${i}, c0);
    c1 = fma(vec4f(a1.${lane}), b${i}, c1);
    c2 = fma(vec4f(a2.${lane}), b${i}, c2);
    c3 = fma(vec4f(a3.${lane}), b${i}, c3);`,
  )
  .join("")}
  }
  c[row * width + id.x] = c0;
  c[(row + 1u) * width + id.x] = c1;
  c[(row + 2u) * width + id.x] = c2;
  c[(row + 3u) * width + id.x] = c3;
}`;

/** Grid-stride copy, so that one dispatch covers any size. */
const COPY = `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < arrayLength(&source); i += groups.x * 64u) { target_[i] = source[i]; }
}`;

interface Kernel {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly groups: readonly [number, number];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

class Bench {
  readonly #device: GPUDevice;
  readonly #buffers: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  buffer(size: number, usage = GPUBufferUsage.STORAGE): GPUBuffer {
    const buffer = this.#device.createBuffer({ size, usage });
    this.#buffers.push(buffer);
    return buffer;
  }

  kernel(code: string, buffers: readonly GPUBuffer[], groups: readonly [number, number]): Kernel {
    const module = this.#device.createShaderModule({ code });
    const pipeline = this.#device.createComputePipeline({ layout: "auto", compute: { module } });
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    return {
      pipeline,
      bindings: this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
      groups,
    };
  }

  /** Seconds for `times` dispatches of one kernel in one submit. */
  async seconds({ pipeline, bindings, groups }: Kernel, times: number): Promise<number> {
    const start = performance.now();
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(...groups);
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
    await this.#device.queue.onSubmittedWorkDone();
    return (performance.now() - start) / 1000;
  }

  /** Median seconds per dispatch over three submits of about 80 ms each, after one that compiles the shader; slow kernels have fewer. */
  async secondsEach(kernel: Kernel): Promise<number> {
    await this.seconds(kernel, 1);
    const probe = await this.seconds(kernel, 1);
    if (probe > 0.15) return probe;
    const times = Math.max(1, Math.min(1000, Math.round(0.08 / probe)));
    const rounds: number[] = [];
    for (let round = 0; round < 3; round++) rounds.push((await this.seconds(kernel, times)) / times);
    return median(rounds);
  }

  /** Median milliseconds to read four bytes back. */
  async readbackMillis(): Promise<number> {
    const source = this.buffer(256, GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
    const target = this.buffer(256, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    const times: number[] = [];
    for (let round = 0; round < 21; round++) {
      const start = performance.now();
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, target, 0, 4);
      this.#device.queue.submit([encoder.finish()]);
      await target.mapAsync(GPUMapMode.READ);
      times.push(performance.now() - start);
      target.unmap();
    }
    return median(times);
  }

  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

/**
 * Measures the adapter with kernels of its own. Sizes follow the profile: larger ones where the adapter is hardware.
 *
 * @throws GpuError when the device reports an error meanwhile.
 */
export async function measure({ device, profile, failure }: OpenDevice): Promise<Measured> {
  const bench = new Bench(device);
  try {
    const fmaThreads = profile.isSoftware ? 4096 : 1 << 20;
    const fma = bench.kernel(FMA, [bench.buffer(fmaThreads * 16)], [fmaThreads / 64, 1]);
    const fmaSeconds = await bench.secondsEach(fma);

    const size = profile.isSoftware ? 512 : 2048;
    const matrices = [0, 1, 2].map(() => bench.buffer(size * size * 4));
    const product = bench.kernel(matmul(size), matrices, [size / 32, size / 32]);
    const matmulSeconds = await bench.secondsEach(product);

    const bytes = Math.min(profile.isSoftware ? 32 << 20 : 256 << 20, profile.limits.maxStorageBufferBindingSize);
    const copyGroups = Math.min(profile.isSoftware ? 1024 : 16384, profile.limits.maxComputeWorkgroupsPerDimension);
    const copySeconds = await bench.secondsEach(
      bench.kernel(COPY, [bench.buffer(bytes), bench.buffer(bytes)], [copyGroups, 1]),
    );

    const tiny = bench.kernel(COPY, [bench.buffer(256), bench.buffer(256)], [1, 1]);
    await bench.seconds(tiny, 1);
    const dispatches: number[] = [];
    for (let round = 0; round < 5; round++) dispatches.push((await bench.seconds(tiny, 200)) / 200);

    const readbackMillis = await bench.readbackMillis();
    failure.assertHealthy();
    return {
      fmaGflops: (fmaThreads * FMA_STEPS * FMA_CHAINS * 4 * 2) / fmaSeconds / 1e9,
      matmulGflops: (2 * size ** 3) / matmulSeconds / 1e9,
      matmulSize: size,
      copyGBs: (2 * bytes) / copySeconds / 1e9,
      dispatchMicros: median(dispatches) * 1e6,
      readbackMillis,
    };
  } finally {
    bench.destroy();
  }
}
