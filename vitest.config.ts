import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

const GPU = "test/**/*.gpu.test.ts";
const PROCESS = "test/**/*.process.test.ts";
const END_TO_END = "test/end-to-end/**/*.test.ts";
const BROWSER = "test/browser/**/*.test.ts";

/** Files that put something else in a module's place: what they load must be loaded for them alone. */
const mocking = readdirSync(join(import.meta.dirname, "test"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".test.ts"))
  .map((path) => `test/${path}`)
  .filter((path) => readFileSync(join(import.meta.dirname, path), "utf8").includes("vi.mock("));

const unit = {
  include: ["test/**/*.test.ts"],
  exclude: [GPU, PROCESS, END_TO_END, BROWSER],
  setupFiles: ["test/support/unit-guard.ts"],
  testTimeout: 60_000,
  maxWorkers: "100%",
  sequence: { groupOrder: 0 },
};

/**
 * What opens a device, starts programs, processes or threads, or reads dist/: it needs that built, and a process for
 * each file, so that a lost device stays where it was lost. Two files run at once, each on one thread of Mesa's
 * software driver, which is twice as fast on two cores as one file on two threads. Mesa computes the same on any number
 * of them.
 */
const inProcesses = {
  pool: "forks",
  maxWorkers: 2,
  env: { LP_NUM_THREADS: "1" },
  globalSetup: ["test/support/build.ts"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
} satisfies TestProjectInlineConfiguration["test"];

/** The tiers. A file's name says which is its own; `npm run test:unit` is what a person runs while typing. */
export default defineConfig({
  test: {
    projects: [
      // Files share what they load, which is half of the time otherwise.
      { test: { name: "unit", ...unit, exclude: [...unit.exclude, ...mocking], isolate: false } },
      { test: { name: "unit-mocking", ...unit, include: mocking } },
      { test: { name: "gpu", include: [GPU], sequence: { groupOrder: 1 }, ...inProcesses } },
      { test: { name: "process", include: [PROCESS], sequence: { groupOrder: 1 }, ...inProcesses } },
      { test: { name: "end-to-end", include: [END_TO_END], sequence: { groupOrder: 1 }, ...inProcesses } },
      // The demo page in the headless Chromium that a development dependency carries: not part of `npm test`.
      { test: { name: "browser", include: [BROWSER], sequence: { groupOrder: 2 }, ...inProcesses, maxWorkers: 1 } },
    ],
  },
});
