import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { errorCode, reasonOf, UserError } from "../base/errors";
import { isRecord } from "../base/json";
import { nearest } from "../base/nearest";
import { camelCase, type OptionLayer } from "../options/option";
import type { NamedOptions } from "./command";

const yaml = async (text: string): Promise<unknown> => (await import("yaml")).parse(text);
const PARSERS: Record<string, (text: string) => unknown> = {
  ".yaml": yaml,
  ".yml": yaml,
  ".toml": async (text) => (await import("smol-toml")).parse(text),
  ".json": (text) => JSON.parse(text),
};

/**
 * Reads `--config`. Keys at the top belong to whatever command runs; those that are options of other commands only
 * are passed over, so that one file serves several. Keys of a section named after a command belong to it alone and
 * win over the top.
 *
 * @param sets the option sets of all commands
 * @throws UserError naming the file and, where the format tells, the line
 */
export async function readConfigFile(
  path: string,
  command: string,
  sets: readonly NamedOptions[],
): Promise<OptionLayer[]> {
  const content = await parsedFile(path);
  if (content === null || content === undefined) return [];
  if (!isMapping(content)) throw new UserError(`--config ${path}: expected option names and their values`);
  const sections = sets.map(({ name }) => name);
  const isOf = ({ infos, refused }: NamedOptions, key: string) => infos.has(key) || Object.hasOwn(refused, key);
  const own = sets.filter(({ name }) => name === command);
  const isForOthers = (key: string) => !own.some((set) => isOf(set, key)) && sets.some((set) => isOf(set, key));
  const top: Record<string, unknown> = {};
  let section: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(content)) {
    if (sections.includes(key) && isMapping(value)) {
      if (key === command) section = value;
    } else if (isMapping(value)) {
      throw new UserError(
        `--config ${path}: ${key} is no section; the nearest one is ${nearest(key, sections)}, and options are not nested further`,
      );
    } else if (!isForOthers(camelCase(key))) top[key] = value;
  }
  return [
    { source: path, spelling: "file", values: top },
    { source: `${path}, section ${command}`, spelling: "file", values: section },
  ];
}

async function parsedFile(path: string): Promise<unknown> {
  const parse = PARSERS[extname(path).toLowerCase()];
  if (parse === undefined)
    throw new UserError(`--config ${path}: expected a file that ends in ${Object.keys(PARSERS).join(", ")}`);
  try {
    return await parse(await readFile(path, "utf8"));
  } catch (error) {
    const reason = errorCode(error) === "ENOENT" ? "no such file" : reasonOf(error).replace(/\n[\s\S]*/, "");
    throw new UserError(`--config ${path}: ${reason}`);
  }
}

/** Names with values; a date of YAML or TOML is a value. */
function isMapping(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && !(value instanceof Date);
}
