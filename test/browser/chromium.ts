/** The headless Chromium that the npm package @sparticuz/chromium carries, with WebGPU on SwiftShader. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { type BrowserContext, chromium } from "playwright-core";
import { tarFiles } from "../../src/platform/tar";

const ARCHIVES = ["swiftshader.tar.br", "al2023.tar.br", "fonts.tar.br"];

/** Unpacks Chromium into the user's cache, once per version; the folder appears by one rename. */
function unpack(): string {
  const packed = join(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")), "../../bin");
  const program = readFileSync(join(packed, "chromium.br"));
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "zerotir");
  const folder = join(root, `chromium-${createHash("sha256").update(program).digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const temporary = mkdtempSync(join(root, "unpack-"));
  try {
    writeFileSync(join(temporary, "chromium"), brotliDecompressSync(program), { mode: 0o755 });
    for (const archive of ARCHIVES)
      for (const [name, bytes] of tarFiles(brotliDecompressSync(readFileSync(join(packed, archive)))))
        writeFileSync(join(temporary, basename(name)), bytes, { mode: 0o755 });
    writeFileSync(join(temporary, "fonts.conf"), fontConfig(folder));
    renameSync(temporary, folder);
  } catch (error) {
    // Another process may have been faster: its files are as good as ours.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** The system's fonts, and the one that came along, as a machine may have none. */
function fontConfig(folder: string): string {
  const folders = ["/usr/share/fonts", folder].map((each) => `<dir>${each}</dir>`).join("");
  return `<?xml version="1.0"?><fontconfig>${folders}<cachedir>${join(folder, "cache")}</cachedir></fontconfig>`;
}

/** Flags with which nothing but the page itself reaches for the network, and WebGPU computes on SwiftShader. */
const FLAGS = [
  "--headless=shell",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-sync",
  "--no-first-run",
  "--no-pings",
  // This build lacks the signal handler that turns a WebAssembly access out of bounds into a trap: any such access,
  // even of a module of ten bytes in an empty page, ends the tab. Explicit checks give the trap that other builds give.
  "--js-flags=--wasm-enforce-bounds-checks",
];

/** A browser with a fresh profile. */
export interface TestBrowser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** @param webgpu false for a browser without WebGPU */
export async function launchChromium(webgpu = true): Promise<TestBrowser> {
  const folder = unpack();
  const executablePath = join(folder, "chromium");
  const profile = mkdtempSync(join(tmpdir(), "zerotir-chromium-"));
  const lacksLibraries = execFileSync("ldd", [executablePath], { encoding: "utf8" }).includes("not found");
  const { LD_LIBRARY_PATH: libraries = "", ...environment } = process.env;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    // Without it a C or POSIX locale of the shell becomes a language tag that the page's Intl refuses.
    locale: "en-US",
    viewport: { width: 1100, height: 900 },
    args: [
      ...FLAGS,
      ...(webgpu ? ["--enable-unsafe-webgpu"] : ["--disable-blink-features=WebGPU"]),
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
    env: {
      ...Object.fromEntries(
        Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
      ),
      FONTCONFIG_FILE: join(folder, "fonts.conf"),
      LD_LIBRARY_PATH: lacksLibraries ? [folder, libraries].filter(Boolean).join(":") : libraries,
    },
  });
  return {
    context,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
