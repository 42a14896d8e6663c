/** Grading in a real page: worker, limit of time, functions as values. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { type Browser, type Page, chromium as playwright } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { browserRewardPool } from "../../src/platform/browser/reward-pool";
import { gradeTrajectory } from "../../src/reward/grade";
import { selectRewards } from "../../src/reward/selection";
import { jobOf } from "../reward/job";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "reward-page-"));
let server: ViteDevServer;
let browser: Browser;
let page: Page;

declare global {
  interface Window {
    browserRewardPool: typeof browserRewardPool;
  }
}

beforeAll(async () => {
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><script type="module">
      import { browserRewardPool } from "/@fs${join(root, "src/platform/browser/reward-pool.ts")}";
      window.browserRewardPool = browserRewardPool;
      document.title = "ready";
    </script>`,
  );
  server = await createServer({
    configFile: false,
    root: folder,
    logLevel: "error",
    cacheDir: join(folder, ".vite"),
    server: { port: 0, host: "127.0.0.1", fs: { strict: false }, hmr: false, watch: null },
  });
  await server.listen();
  browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: ["--no-sandbox", "--headless=shell"],
  });
  page = await browser.newPage();
  await page.goto(server.resolvedUrls?.local[0] ?? "");
  await page.waitForFunction(() => document.title === "ready", undefined, { timeout: 60_000 });
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const jobs = ["\\boxed{7}", "\\boxed{8}", "none"].map((text) => jobOf(text));

test("the worker grades as this process does", async () => {
  const graded = await page.evaluate(async (jobs) => {
    const pool = window.browserRewardPool({ builtIn: {}, custom: [], timeoutMs: 5000 });
    const results = await Promise.all(jobs.map((job) => pool.grade(job)));
    await pool.close();
    return results;
  }, jobs);
  expect(graded).toEqual(jobs.map((job) => gradeTrajectory(job)));
});

test("a grader that takes too long is ended, and the next job has its turn", async () => {
  // The measure of repetition takes far longer than this limit for 4 million letters.
  const long = jobOf("ab".repeat(2_000_000));
  const failed = await page.evaluate(
    async (jobs) => {
      const pool = window.browserRewardPool({ builtIn: {}, custom: [], timeoutMs: 150 });
      const results = await Promise.all(jobs.map((job) => pool.grade(job)));
      await pool.close();
      return results.map(({ numbers }) => [numbers.verifier_failed, numbers.rule_rewards]);
    },
    [long, ...jobs],
  );
  expect(failed).toEqual([
    [1, 0],
    [0, 1],
    [0, 0],
    [0, 0],
  ]);
});

test("functions are values: their numbers count, a mistake ends the run, a promise that never comes is given up", async () => {
  const selections = ["brief", "wrong", "never"].map((name) => selectRewards([name], [2], ["brief", "wrong", "never"]));
  const outcomes = await page.evaluate(
    async ({ selections, jobs }) => {
      const functions = {
        brief: ({ completions }: { completions: readonly string[] }) =>
          completions.map((text) => (text === "none" ? null : text.length)),
        wrong: () => [Number.NaN, 1, 1],
        never: () => new Promise<never>(() => {}),
      };
      return Promise.all(
        selections.map(async ({ custom }) => {
          const pool = window.browserRewardPool({ builtIn: {}, custom, functions, timeoutMs: 1000 });
          try {
            const grades = await Promise.all(jobs.map((job) => pool.grade(job)));
            const group = await pool.gradeGroup?.({ prompt: "3+4", columns: { answer: "7" }, jobs, grades });
            return group?.map(({ numbers }) => [numbers.reward, numbers.verifier_failed]);
          } catch (error) {
            return error instanceof Error ? error.message : String(error);
          } finally {
            await pool.close();
          }
        }),
      );
    },
    { selections, jobs },
  );
  expect(outcomes).toEqual([
    [
      [19, 0],
      [18, 0],
      [0, 0],
    ],
    'reward function wrong: returned NaN for completion 1 of 3 for the prompt "3+4", expected a finite number or null',
    [
      [1, 1],
      [0, 1],
      [0, 1],
    ],
  ]);
});

test("a file is refused", async () => {
  const { custom } = selectRewards(["https://example.org/x.mjs"], null);
  const message = await page.evaluate((custom) => {
    try {
      window.browserRewardPool({ builtIn: {}, custom, timeoutMs: 1000 });
      return "accepted";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  }, custom);
  expect(message).toMatch(/a page takes functions as values/);
});
