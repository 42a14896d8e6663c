/**
 * What a unit test may not do: start a process or a thread, or ask for a device. A test that needs one says so in its
 * name (`x.gpu.test.ts`, `x.process.test.ts`), and runs in that tier.
 */
import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import workerThreads from "node:worker_threads";
import { vi } from "vitest";

function refused(what: string, tier: string): () => never {
  return () => {
    throw new Error(`A unit test ${what}: name the file x.${tier}.test.ts, and it runs in that tier.`);
  };
}

for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"] as const)
  Object.assign(childProcess, { [name]: refused("starts a process", "process") });
Object.assign(workerThreads, {
  Worker: class {
    constructor() {
      refused("starts a thread", "process")();
    }
  },
});
syncBuiltinESMExports();

vi.mock("webgpu", () => ({ create: refused("asks for a WebGPU device", "gpu"), globals: {} }));
