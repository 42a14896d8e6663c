/**
 * What stands below the options that a user gives: a preset's (presets/*.yaml), and what a named data set suggests. To
 * add a preset, add its file there and its name here.
 */
import { parse } from "yaml";
import * as z from "zod";
import { UserError } from "../base/errors";
import { must } from "../base/must";
import { nearest } from "../base/nearest";
import { datasetEntry } from "../data/registry";
import { camelCase, type OptionLayer } from "./option";

/** Names that `--preset` takes, in the order in which they are shown. */
export const presetNames = [
  "nano",
  "nano-notool",
  "nano-zerotir-rpp",
  "nano-zerotir-ppo",
  "nano-zerotir-grpo",
  "nano-orz-ppo",
  "nano-torl",
  "nano-simplerl",
  "nano-dapo",
  "nano-dr-grpo",
  "zerotir-rpp",
  "zerotir-ppo",
  "zerotir-grpo",
  "orz-ppo",
  "torl",
  "simplerl",
  "dapo",
  "dr-grpo",
] as const;

export type PresetName = (typeof presetNames)[number];

/** The files, by path from here. */
export const presetFiles: Readonly<Record<string, string>> = import.meta.glob<string>("../../presets/*.yaml", {
  query: "?raw",
  import: "default",
  eager: true,
});

const schema = z.looseObject({ extends: z.array(z.enum(presetNames)).optional() });

/** Options of a preset by their camelCase names: those of the presets that it extends, first to last, then its own. */
export function presetOptions(name: PresetName): Record<string, unknown> {
  const text = must(presetFiles[`../../presets/${name}.yaml`], `presets/${name}.yaml`);
  const { extends: bases = [], ...own } = schema.parse(parse(text));
  return Object.assign(
    {},
    ...bases.map(presetOptions),
    Object.fromEntries(Object.entries(own).map(([key, value]) => [camelCase(key), value])),
  );
}

/**
 * The preset that the last layer names.
 *
 * @param takes whether the command takes an option of that key from a preset
 * @throws UserError for a name that is none
 */
export function presetLayer(layers: readonly OptionLayer[], takes: (key: string) => boolean): OptionLayer[] {
  const name = layers.map(({ values }) => values.preset).findLast((value) => value !== undefined && value !== null);
  if (name === undefined) return [];
  const preset = presetNames.find((known) => known === name);
  if (preset === undefined)
    throw new UserError(
      `preset ${JSON.stringify(name)} does not exist; the nearest one is ${nearest(String(name), presetNames)} (there are ${presetNames.join(", ")})`,
    );
  const values = Object.fromEntries(Object.entries(presetOptions(preset)).filter(([key]) => takes(key)));
  return [{ source: `preset ${preset}`, spelling: "file", values }];
}

/** The prompt template of the named data set, or of all of them, that the last layer asks for. */
export function datasetLayer(layers: readonly OptionLayer[]): OptionLayer[] {
  const dataset = layers.map(({ values }) => values.dataset).findLast((value) => value !== undefined);
  const names: readonly unknown[] = Array.isArray(dataset) ? dataset : [dataset];
  const entries = names.flatMap((each) => (typeof each === "string" ? (datasetEntry(each) ?? []) : []));
  const [entry] = entries;
  if (entry === undefined || entries.some(({ promptTemplate }) => promptTemplate !== entry.promptTemplate)) return [];
  return [{ source: `data set ${entry.name}`, spelling: "file", values: { promptTemplate: entry.promptTemplate } }];
}
