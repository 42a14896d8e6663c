import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**"],
    // One adapter, two cores: files run one after the other, each in a process of its own, so that a lost device stays where it was lost.
    pool: "forks",
    fileParallelism: false,
    globalSetup: ["test/support/build.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
