import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { type Browser, type Page, chromium as playwright } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PythonCall, PythonEngine, PythonResult } from "../../src/sandbox/engine";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "sandbox-page-"));
let server: ViteDevServer;
let browser: Browser;
let page: Page;

declare global {
  interface Window {
    engine: PythonEngine;
  }
}

beforeAll(async () => {
  const pool = join(root, "src/sandbox/browser/pool.ts");
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><script type="module">
      import { createBrowserSandbox } from "/@fs${pool}";
      try { window.engine = await createBrowserSandbox({ assetUrl: "/python/", workerCount: 2 }); document.title = "ready"; }
      catch (error) { document.title = String(error); }
    </script>`,
  );
  server = await createServer({
    configFile: false,
    root: folder,
    publicDir: join(root, "dist"),
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
  await page.waitForFunction(() => document.title !== "", undefined, { timeout: 60_000 });
  expect(await page.title()).toBe("ready");
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(code: string, limits: Partial<PythonCall> = {}): Promise<PythonResult> {
  const call = { code, timeoutMs: 60_000, memoryMb: 256, maxOutputBytes: 1000, seed: "test", ...limits };
  return page.evaluate((call) => window.engine.run(call), call);
}

test("a program in a page gives what it gives in Node", async () => {
  expect(await run("from fractions import Fraction\nprint(Fraction(1, 3) + Fraction(1, 6))")).toMatchObject({
    status: "ok",
    stdout: "1/2\n",
    stderr: "",
  });
  // The same number is expected of the Node engine.
  expect((await run("import random\nprint(random.random())")).stdout).toBe("0.21678429023386225\n");
});

test("errors, time, memory and recursion", async () => {
  expect(await run("1/0")).toMatchObject({ status: "error" });
  expect(await run("while True: pass", { timeoutMs: 300 })).toMatchObject({ status: "timeout" });
  expect(await run("bytearray(10**9)")).toMatchObject({ status: "oom" });
  expect(await run("def f(n): return 0 if n == 0 else 1 + f(n-1)\nprint(f(900))")).toMatchObject({ stdout: "900\n" });
  const nested =
    "from functools import lru_cache\n@lru_cache(None)\ndef f(n): return 0 if n < 1 else f(n-1) + 1\nprint(f(300))";
  expect(await run(nested)).toMatchObject({ status: "ok", stdout: "300\n" });
  expect((await run("print('after')")).stdout).toBe("after\n");
});
