#!/usr/bin/env node
/**
 * Our linear layer against the matrix products of tfjs-backend-webgpu and jax-js: 512 x 512 x 512 in f32, same adapter,
 * one process, interleaved rounds.
 *
 *   mkdir peers && cd peers && npm init -y
 *   npm i --no-save @jax-js/jax @tensorflow/tfjs-core @tensorflow/tfjs-backend-webgpu && cd ..
 *   node kernels/bench/peers.mjs --modules peers [--rounds 9] [--size 512] [--json]
 *
 * A round times a few products and the readback of the last one, for each library in turn; the ratio of a round is the
 * peer's time over ours in it. On a software adapter the CPU seconds of the process are compared too: other programs on
 * the machine disturb them less.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { values: flags } = parseArgs({
  options: {
    modules: { type: "string" },
    rounds: { type: "string", default: "9" },
    size: { type: "string", default: "512" },
    products: { type: "string", default: "4" },
    json: { type: "boolean", default: false },
  },
});
const modules = resolve(flags.modules ?? root);
const [size, rounds, products] = [Number(flags.size), Number(flags.rounds), Number(flags.products)];
const INSTALL = "npm i --no-save @jax-js/jax @tensorflow/tfjs-core @tensorflow/tfjs-backend-webgpu";

// Ours, from source. The server holds the modules, which hold Dawn: a device must not outlive it.
const { createServer } = await import("vite");
const server = await createServer({
  root,
  configFile: false,
  logLevel: "error",
  appType: "custom",
  server: { middlewareMode: true, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
const { Random } = await server.ssrLoadModule("/kernels/cases/inputs.ts");
const { relativeError } = await server.ssrLoadModule("/kernels/tensor.ts");
const { median } = await server.ssrLoadModule("/kernels/bench/timing.ts");

const random = new Random("peers");
/** @type {[Float32Array, Float32Array]} */
const [a, b] = [random.normals(size * size), random.normals(size * size)];
const transposed = b.map((_, i) => b[(i % size) * size + Math.floor(i / size)] ?? Number.NaN);

/**
 * A library: `run(n)` computes n products and resolves with the last one.
 * @typedef {{ name: string, run: (n: number) => Promise<Float32Array> }} Peer
 */

/** @returns {Promise<Peer & { adapter: string, isSoftware: boolean }>} */
async function ours() {
  const { openNodeDevice } = await server.ssrLoadModule("/src/platform/node/adapter.ts");
  const { createContext } = await server.ssrLoadModule("/src/gpu/context.ts");
  const { linear } = await server.ssrLoadModule("/kernels/linear.ts");
  const gpu = createContext(await openNodeDevice({ announce: () => {} }));
  const bytes = size * size * 4;
  const views = {
    x: gpu.allocator.storage("a", bytes),
    weight: gpu.allocator.storage("b", bytes),
    y: gpu.allocator.storage("c", bytes),
  };
  gpu.write(views.x, a);
  gpu.write(views.weight, transposed);
  return {
    name: "zerotir linear",
    adapter: gpu.profile.adapterName,
    isSoftware: gpu.profile.isSoftware,
    run(n) {
      for (let i = 0; i < n; i++) linear(gpu, views, { rows: size, inner: size, outer: size });
      return gpu.readback.readFloats(views.y, size * size);
    },
  };
}

/** @param {string} name */
function peerModule(name) {
  const folder = join(modules, "node_modules", name);
  if (!existsSync(folder)) {
    console.error(`${name} is not in ${join(modules, "node_modules")}. In that folder's parent run: ${INSTALL}`);
    process.exit(2);
  }
  return createRequire(join(modules, "package.json"));
}

/** @returns {Promise<Peer>} */
async function tfjs() {
  const require = peerModule("@tensorflow/tfjs-backend-webgpu");
  const tf = require("@tensorflow/tfjs-core");
  require("@tensorflow/tfjs-backend-webgpu");
  await tf.setBackend("webgpu");
  await tf.ready();
  const [left, right] = [tf.tensor2d(a, [size, size]), tf.tensor2d(b, [size, size])];
  return {
    name: `tfjs-backend-webgpu ${require("@tensorflow/tfjs-backend-webgpu/package.json").version}`,
    async run(n) {
      const results = Array.from({ length: n }, () => tf.matMul(left, right));
      const data = await results[n - 1].data();
      tf.dispose(results);
      return data;
    },
  };
}

/** @returns {Promise<Peer>} */
async function jax() {
  peerModule("@jax-js/jax");
  const folder = join(modules, "node_modules/@jax-js/jax");
  const { init, defaultDevice, numpy } = await import(pathToFileURL(join(folder, "dist/index.js")).href);
  await init("webgpu");
  defaultDevice("webgpu");
  const [left, right] = [numpy.array(a).reshape([size, size]), numpy.array(b).reshape([size, size])];
  const { version } = createRequire(import.meta.url)(join(folder, "package.json"));
  return {
    name: `jax-js ${version}`,
    async run(n) {
      const results = Array.from({ length: n }, () => numpy.matmul(left.ref, right.ref));
      for (const result of results.slice(0, -1)) await result.blockUntilReady();
      const data = await results[n - 1].data();
      for (const result of results.slice(0, -1)) result.dispose?.();
      return data;
    },
  };
}

const own = await ours();
// The peers ask navigator.gpu for their device: the same Dawn, the same adapter.
const { create } = await import("webgpu");
const gpu = create([
  ...(process.platform === "linux" ? ["backend=vulkan"] : []),
  "enable-dawn-features=allow_unsafe_apis",
]);
const theirs = (await gpu.requestAdapter({ powerPreference: "high-performance" }))?.info.device ?? "none";
if (theirs.replace(/-+$/, "") !== own.adapter) {
  console.error(`Dawn gives the peers the adapter ${theirs}, and ours is ${own.adapter}: leave ZEROTIR_ADAPTER unset.`);
  process.exit(2);
}
Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "node" }, configurable: true });
const peers = [own, await tfjs(), await jax()];

const flops = 2 * size ** 3 * products;
const first = await own.run(1);
/**
 * @type {Record<string, { seconds: number[], cpu: number[], ratios: number[], cpuRatios: number[], error: number }>}
 */
const results = {};
for (const peer of peers) {
  const error = relativeError(await peer.run(1), first);
  if (!(error < 1e-5)) throw new Error(`${peer.name} and ${own.name} differ by ${error}`);
  results[peer.name] = { seconds: [], cpu: [], ratios: [], cpuRatios: [], error };
  await peer.run(products);
}
for (let round = 0; round < rounds; round++) {
  let base = { seconds: Number.NaN, cpu: Number.NaN };
  for (const peer of peers) {
    const start = performance.now();
    const used = process.cpuUsage();
    await peer.run(products);
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(used);
    const cpu = (user + system) / 1e6;
    if (peer === own) base = { seconds, cpu };
    const result = results[peer.name];
    result?.seconds.push(seconds);
    result?.cpu.push(cpu);
    result?.ratios.push(seconds / base.seconds);
    result?.cpuRatios.push(cpu / base.cpu);
  }
}
const report = {
  adapter: own.adapter,
  size,
  products,
  rounds,
  load: loadavg()[0],
  node: process.version,
  rows: Object.entries(results).map(([name, { seconds, cpu, ratios, cpuRatios, error }]) => ({
    name,
    gflops: flops / median(seconds) / 1e9,
    ratio: median(ratios),
    ratios,
    gflopsPerCpuSecond: own.isSoftware ? flops / median(cpu) / 1e9 : null,
    cpuRatio: own.isSoftware ? median(cpuRatios) : null,
    difference: error,
  })),
};
if (flags.json) console.log(JSON.stringify(report));
else {
  console.log(`${size}^3 f32 on ${report.adapter}, ${rounds} rounds of ${products}, load ${report.load?.toFixed(1)}`);
  for (const row of report.rows) {
    const rounded = row.ratios.map((ratio) => ratio.toFixed(2)).join(" ");
    const line = (/** @type {string} */ name, /** @type {number} */ value, /** @type {string} */ rest) =>
      console.log(`${name.padEnd(28)} ${value.toFixed(2).padStart(8)} ${rest}`);
    line(row.name, row.gflops, `GFLOP/s, time over ours ${row.ratio.toFixed(2)} (${rounded})`);
    if (row.gflopsPerCpuSecond !== null && row.cpuRatio !== null)
      line("", row.gflopsPerCpuSecond, `GFLOP per CPU second, CPU time over ours ${row.cpuRatio.toFixed(2)}`);
  }
}
process.exit(0);
