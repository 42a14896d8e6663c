/** Baseline of the matrix product: gpu.js, a development dependency. */
import { median } from "./timing";

/** Source text, because gpu.js parses a kernel's source and a bundler may have rewritten a function's. */
const MATMUL = `function (a, b) {
  let sum = 0;
  for (let k = 0; k < this.constants.size; k++) sum += a[this.thread.y][k] * b[k][this.thread.x];
  return sum;
}`;

/**
 * Seconds of one product of two size x size matrices, and the mode that gpu.js chose; undefined when the package is not
 * installed.
 */
export async function gpuJsMatmul(size: number): Promise<{ seconds: number; mode: string } | undefined> {
  // A name that the bundler cannot follow: the published program must not carry the package.
  const name = "gpu.js";
  let library: typeof import("gpu.js");
  try {
    library = await import(/* @vite-ignore */ name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
  const gpu = new library.GPU();
  const multiply = gpu.createKernel(MATMUL, { output: [size, size], constants: { size } });
  const matrix = () =>
    Array.from({ length: size }, () => Float32Array.from({ length: size }, () => Math.random() - 0.5));
  const [a, b] = [matrix(), matrix()];
  const run = async () => {
    const start = performance.now();
    await multiply(a, b);
    return (performance.now() - start) / 1000;
  };
  await run();
  const samples: number[] = [];
  while (samples.length < 5) samples.push(await run());
  const { mode } = gpu;
  await gpu.destroy();
  return { seconds: median(samples), mode };
}
