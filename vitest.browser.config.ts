import { defineConfig } from "vitest/config";

/** `npm run test:browser`: the demo page in the headless Chromium that a development dependency carries. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    globalSetup: ["test/support/build.ts"],
    hookTimeout: 60_000,
  },
});
