import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { UserError } from "../base/errors";
import { nearest } from "../base/nearest";
import type { OptionLayer } from "../options/option";

/** Commands that may have a section of their own in a config file. */
export const SECTIONS = ["train", "pretrain", "sft", "dpo", "sample", "eval"] as const;

const PARSERS: Record<string, (text: string) => unknown> = {
  ".yaml": (text) => parseYaml(text),
  ".yml": (text) => parseYaml(text),
  ".toml": (text) => parseToml(text),
  ".json": (text) => JSON.parse(text),
};

/**
 * Reads `--config`. Keys at the top belong to whatever command runs; those of a section named after a command belong to it alone
 * and win over the top.
 *
 * @throws UserError naming the file and, where the format tells, the line
 */
export async function readConfigFile(path: string, command: string): Promise<OptionLayer[]> {
  const parse = PARSERS[extname(path).toLowerCase()];
  if (parse === undefined)
    throw new UserError(`--config ${path}: expected a file that ends in ${Object.keys(PARSERS).join(", ")}`);
  let content: unknown;
  try {
    content = parse(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new UserError(`--config ${path}: no such file`);
    throw new UserError(`--config ${path}: ${error instanceof Error ? firstLine(error.message) : String(error)}`);
  }
  if (content === null || content === undefined) return [];
  if (!isObject(content)) throw new UserError(`--config ${path}: expected option names and their values`);
  const top: Record<string, unknown> = {};
  let own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(content)) {
    const isSection = SECTIONS.some((section) => section === key);
    if (isSection && isObject(value)) {
      if (key === command) own = value;
    } else if (isObject(value)) {
      throw new UserError(
        `--config ${path}: ${key} is no section; the nearest one is ${nearest(key, SECTIONS)}, and options are not nested further`,
      );
    } else top[key] = value;
  }
  return [
    { source: path, spelling: "file", values: top },
    { source: `${path}, section ${command}`, spelling: "file", values: own },
  ];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
