import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/**
 * A new empty folder, removed when all tests of the file have run; wherever it is called: in a test, in a hook, or at
 * the top of the file.
 *
 * @param name a word in its name, for those who look into /tmp while it is there
 */
export function tempFolder(name = "test"): string {
  const folder = mkdtempSync(join(tmpdir(), `zerotir-${name}-`));
  folders.push(folder);
  return folder;
}
