import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";

/**
 * A new empty folder. Called in a test or its `beforeEach`, it is removed when the test ends; called at the top of a
 * file or of a `describe`, when the tests there have run. Not for a `beforeAll`: what is said there comes too late.
 *
 * @param name a word in its name, for those who look into the temporary folder while it is there
 */
export function tempFolder(name = "test"): string {
  const folder = mkdtempSync(join(tmpdir(), `zerotir-${name}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    onTestFinished(remove);
  } catch {
    // No test runs: this is where tests are collected.
    afterAll(remove);
  }
  return folder;
}
