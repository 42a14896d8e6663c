/** Brings up to date what the tests start as programs, processes and threads: dist/, from the sources as they are. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export function setup(): void {
  const script = join(import.meta.dirname, "../../scripts/build.mjs");
  execFileSync(process.execPath, [script, "--no-types"], { stdio: ["ignore", "inherit", "inherit"] });
}
