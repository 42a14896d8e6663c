/**
 * Builds what the tests start as programs, processes and threads: everything in dist/, from the sources as they are.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { build } from "vite";

const root = join(import.meta.dirname, "../..");

export async function setup(): Promise<void> {
  await build({ root, configFile: join(root, "vite.config.ts"), logLevel: "error" });
  execFileSync(process.execPath, [join(root, "scripts/build-python.mjs")], { stdio: ["ignore", "inherit", "inherit"] });
}
