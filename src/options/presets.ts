/** Options that differ from the defaults, read from presets/. Everything given by file or flag wins over them. */
import { parse } from "yaml";
import * as z from "zod";
import { camelCase } from "./option-set";
import { isPresetName, type PresetName, presetTexts } from "./preset-texts";

/** What a preset says of training alone: an evaluation has its own number of answers per question. */
export const TRAINING_ONLY: ReadonlySet<string> = new Set(["numGenerations"]);

const schema = z.looseObject({ extends: z.array(z.string()).optional() });

/** Options of a preset by their camelCase names: those of the presets that it extends, first to last, then its own. */
export function presetOptions(name: PresetName): Record<string, unknown> {
  const { extends: bases = [], ...own } = schema.parse(parse(presetTexts[name]));
  const inherited = bases.map((base) => {
    if (!isPresetName(base)) throw new Error(`preset ${name} extends ${base}, which does not exist`);
    return presetOptions(base);
  });
  return Object.assign(
    {},
    ...inherited,
    Object.fromEntries(Object.entries(own).map(([key, value]) => [camelCase(key), value])),
  );
}
