import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

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

/** What starts programs, processes or threads, or reads dist/, needs it built. */
const built = { globalSetup: ["test/support/build.ts"], testTimeout: 120_000, hookTimeout: 120_000 };

/**
 * One adapter, two cores: files run one after the other, each in a process of its own, so that a lost device stays where it
 * was lost. No tier starts before the one above it has ended.
 */
const alone = { pool: "forks", fileParallelism: false, ...built } as const;

/** The tiers. A file's name says which is its own; `npm run test:unit` is what a person runs while typing. */
export default defineConfig({
  test: {
    projects: [
      // Files share what they load, which is half of the time otherwise.
      { test: { name: "unit", ...unit, exclude: [...unit.exclude, ...mocking], isolate: false } },
      { test: { name: "unit-mocking", ...unit, include: mocking } },
      { test: { name: "gpu", include: [GPU], sequence: { groupOrder: 1 }, ...alone } },
      { test: { name: "process", include: [PROCESS], sequence: { groupOrder: 2 }, ...alone } },
      { test: { name: "end-to-end", include: [END_TO_END], sequence: { groupOrder: 3 }, ...alone } },
      // The demo page in the headless Chromium that a development dependency carries: not part of `npm test`.
      { test: { name: "browser", include: [BROWSER], sequence: { groupOrder: 4 }, ...alone, hookTimeout: 60_000 } },
    ],
  },
});
