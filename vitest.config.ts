import { defineConfig } from "vitest/config";

const EVERY = "test/**/*.test.ts";
const IN_TIERS = ["test/**/*.gpu.test.ts", "test/**/*.process.test.ts"];
const END_TO_END = "test/end-to-end/**/*.test.ts";
const BROWSER = "test/browser/**/*.test.ts";

/** What starts programs, processes or threads, or reads dist/, needs it built. */
const built = { globalSetup: ["test/support/build.ts"], testTimeout: 120_000, hookTimeout: 120_000 };

/**
 * One adapter, two cores: files run one after the other, each in a process of its own, so that a lost device stays where it
 * was lost. No tier starts before the one above it has ended.
 */
const alone = { pool: "forks", fileParallelism: false, ...built } as const;

/** The tiers. A file's name says which is its own; docs of a person's inner loop: `npm run test:unit`. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [EVERY],
          exclude: [...IN_TIERS, END_TO_END, BROWSER],
          setupFiles: ["test/support/unit-guard.ts"],
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: "gpu", include: ["test/**/*.gpu.test.ts"], sequence: { groupOrder: 1 }, ...alone } },
      { test: { name: "process", include: ["test/**/*.process.test.ts"], sequence: { groupOrder: 2 }, ...alone } },
      { test: { name: "end-to-end", include: [END_TO_END], sequence: { groupOrder: 3 }, ...alone } },
      // The demo page in the headless Chromium that a development dependency carries: not part of `npm test`.
      { test: { name: "browser", include: [BROWSER], sequence: { groupOrder: 4 }, ...alone, hookTimeout: 60_000 } },
    ],
  },
});
