/**
 * Published models and tokenizers: those of `test/fixtures`, and where the folder `../shared/models` beside the
 * repository is there, those that are too large for it or may not be passed on.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const FIXTURES = resolve(import.meta.dirname, "../fixtures");
const SHARED = resolve(import.meta.dirname, "../../../shared/models");

export interface Published {
  readonly name: string;
  readonly folder: string;
  /** Whether it is in neither place. A test of it is then skipped, and its title says what is missing. */
  readonly isMissing: boolean;
  readonly title: string;
}

/** @param file that must be in the folder: a fixture may hold a part of what was published */
export function published(name: string, file = "tokenizer_config.json"): Published {
  const folder = [FIXTURES, SHARED].map((root) => join(root, name)).find((path) => hasFile(path, file));
  const title = folder === undefined ? `${name} (skipped: there is no ../shared/models/${name}/${file})` : name;
  return { name, folder: folder ?? join(SHARED, name), isMissing: folder === undefined, title };
}

function hasFile(folder: string, file: string): boolean {
  return existsSync(join(folder, file)) || existsSync(join(folder, `${file}.gz`));
}
