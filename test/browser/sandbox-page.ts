/** A page with the sandbox frame and the engine behind it, served by Vite's dev server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { createServer, type Plugin } from "vite";
import { bundle, programText } from "../../scripts/vite-program-text";
import type { PythonCall, PythonEngine, PythonResult } from "../../src/sandbox/engine";
import { launchChromium } from "./chromium";

declare global {
  interface Window {
    engine: PythonEngine;
  }
}

const root = join(import.meta.dirname, "../..");
const browserFolder = join(root, "src/sandbox/browser");

export interface SandboxPage {
  readonly page: Page;
  /** What the page became: "ready", or the message of the error. */
  readonly state: string;
  run(call: PythonCall): Promise<PythonResult>;
  close(): Promise<void>;
}

export interface SandboxPageOptions {
  readonly memoryMb?: number;
  readonly workerCount?: number;
  /** Plugins of the builds of the frame's programs. */
  readonly plugins?: readonly Plugin[];
  /** Other files of the page, by name. */
  readonly files?: Record<string, string>;
  /** Response headers of the page. */
  readonly headers?: Record<string, string>;
  /** Whether the page has a policy of its own, which the frame inherits; HASH stands for the frame's script. */
  readonly policy?: string;
}

export async function openSandboxPage(options: SandboxPageOptions = {}): Promise<SandboxPage> {
  const { memoryMb = 256, workerCount = 2, plugins = [], headers = {}, files = {}, policy } = options;
  const folder = mkdtempSync(join(tmpdir(), "sandbox-page-"));
  const { hash } = await bundle(join(browserFolder, "frame-program.ts"), plugins);
  const meta =
    policy === undefined
      ? ""
      : `<meta http-equiv="Content-Security-Policy" content="${policy.replace("HASH", `'${hash}'`)}">`;
  writeFileSync(
    join(folder, "main.js"),
    `import { openSandboxFrame } from "/@fs${browserFolder}/frame.ts";
    import { createBrowserSandbox } from "/@fs${browserFolder}/engine.ts";
    try {
      const { port } = openSandboxFrame();
      const options = { assetUrl: "/python/", workerCount: ${workerCount}, memoryMb: ${memoryMb} };
      window.engine = await createBrowserSandbox(port, options);
      document.title = "ready";
    } catch (error) { document.title = error.message; }`,
  );
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html>${meta}<body></body><script type="module" src="/main.js"></script>`,
  );
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const server = await createServer({
    configFile: false,
    root: folder,
    publicDir: join(root, "dist"),
    logLevel: "error",
    cacheDir: join(folder, ".vite"),
    plugins: [programText(plugins)],
    server: { port: 0, host: "127.0.0.1", fs: { strict: false }, hmr: false, watch: null, headers },
  });
  await server.listen();
  const browser = await launchChromium();
  const page = await browser.context.newPage();
  await page.goto(server.resolvedUrls?.local[0] ?? "");
  await page.waitForFunction(() => document.title !== "", undefined, { timeout: 60_000 });
  return {
    page,
    state: await page.title(),
    run: (call) => page.evaluate((call) => window.engine.run(call), call),
    async close() {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
