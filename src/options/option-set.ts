/**
 * The options of one command: their fields, what is refused beyond each field's range, and how values of several places
 * become one set.
 */
import { stringify } from "yaml";
import * as z from "zod";
import { UserError } from "../base/errors";
import { nearest } from "../base/nearest";
import { camelCase, describe, type OptionInfo, type OptionLayer, type OptionsOf, spelled } from "./option";
import { datasetLayer, presetLayer } from "./presets";
import type { Rule } from "./rule";

/**
 * Options that a command does not have, though one may look for them in it: their old default, which is passed over,
 * and what to say of any other value.
 */
export type RefusedOptions = Readonly<Record<string, { readonly was: unknown; readonly why: string }>>;

/** What a command says of its options beyond their fields. */
interface Conduct<Options> {
  readonly rules?: readonly Rule<Options>[];
  readonly refused?: RefusedOptions;
  /** Options that are not taken from a preset. */
  readonly notFromPreset?: (layers: readonly OptionLayer[]) => readonly (keyof Options)[];
  /** Puts in values that follow from others. */
  readonly settle?: (options: Options) => Options;
}

/** A strict zod object in which every option carries `about`, with the rules of the command. */
export class OptionSet<Fields extends z.ZodRawShape> {
  readonly name: string;
  readonly schema: z.ZodObject<Fields, z.core.$strict>;
  readonly infos: ReadonlyMap<string, OptionInfo>;
  readonly refused: RefusedOptions;
  readonly #conduct: Conduct<OptionsOf<Fields>>;

  constructor(name: string, fields: Fields, conduct: Conduct<OptionsOf<Fields>> = {}) {
    this.name = name;
    this.schema = z.strictObject(fields);
    this.infos = new Map(
      Object.entries<unknown>(this.schema.shape).flatMap(([key, field]) =>
        field instanceof z.ZodType ? [[key, describe(key, field)] as const] : [],
      ),
    );
    this.refused = conduct.refused ?? {};
    this.#conduct = conduct;
  }

  /**
   * Lays over the defaults what the data set suggests, then the preset that a layer names (as far as the command has
   * its options), then the layers, first to last: config file, flags, dotted overrides.
   *
   * @param functions names of reward functions that the host of the run has as values, which --reward-funcs may name
   * too
   * @throws UserError naming the place, the option, the value, and what was expected; for an unknown key the nearest
   * valid one; for options that do not go together what to do
   */
  resolve(layers: readonly OptionLayer[], functions: readonly string[] = []): OptionsOf<Fields> {
    const { rules = [], settle } = this.#conduct;
    const preset = this.infos.has("preset") ? this.#presetLayer(layers) : [];
    const suggested =
      this.infos.has("dataset") && this.infos.has("promptTemplate") ? datasetLayer([...preset, ...layers]) : [];
    const read = this.#read([...suggested, ...preset, ...layers]);
    const options = settle === undefined ? read : settle(read);
    for (const rule of rules) rule.check(options, functions);
    return options;
  }

  #presetLayer(layers: readonly OptionLayer[]): OptionLayer[] {
    const left: readonly PropertyKey[] = this.#conduct.notFromPreset?.(layers) ?? [];
    return presetLayer(layers, (key) => this.infos.has(key) && !left.includes(key));
  }

  #read(layers: readonly OptionLayer[]): OptionsOf<Fields> {
    const merged: Record<string, unknown> = {};
    const from = new Map<string, OptionLayer>();
    for (const layer of layers) {
      const seen = new Set<string>();
      for (const [name, value] of Object.entries(layer.values)) {
        const key = camelCase(name);
        if (!this.infos.has(key)) {
          this.#refuseUnknown(name, value, layer);
          continue;
        }
        if (seen.has(key)) throw new UserError(`${layer.source}: ${name} is given twice, in two spellings; keep one`);
        seen.add(key);
        if (value === undefined) continue;
        merged[key] = value;
        from.set(key, layer);
      }
    }
    const parsed = this.schema.safeParse(merged);
    if (parsed.success) return parsed.data;
    const key = String(parsed.error.issues[0]?.path[0]);
    const info = this.infos.get(key);
    if (info !== undefined && !(key in merged)) {
      const way =
        this.infos.has("preset") && (merged.preset ?? null) === null ? "; or start from a --preset that sets it" : "";
      throw new UserError(`${this.name} needs --${info.flag}: ${info.help}${way}`);
    }
    throw this.wrong(key, merged[key], from.get(key));
  }

  /** An error about a value: "run.yaml: top_p is 2, expected ...". */
  wrong(key: string, value: unknown, layer?: OptionLayer): UserError {
    const spelling = layer?.spelling ?? "flag";
    const place = layer !== undefined && spelling !== "flag" ? `${layer.source}: ` : "";
    const expected = this.infos.get(key)?.expected;
    return new UserError(`${place}${spelled(key, spelling)} is ${JSON.stringify(value)}, expected ${expected}`);
  }

  /** A file of an earlier version may hold a refused option at its old default. */
  #refuseUnknown(name: string, value: unknown, { source, spelling }: OptionLayer): void {
    const key = camelCase(name);
    const written = spelling === "flag" ? `--${name}` : name;
    const refused = Object.hasOwn(this.refused, key) ? this.refused[key] : undefined;
    if (refused !== undefined) {
      if (value === undefined || String(value) === String(refused.was)) return;
      throw new UserError(`${source}: unknown option ${spelled(key, spelling)} of ${this.name}: it ${refused.why}`);
    }
    const names = [...this.infos.keys()].map((known) => spelled(known, spelling));
    throw new UserError(
      `${source}: unknown option ${written} of ${this.name}; the nearest one is ${nearest(written, names)}`,
    );
  }

  /** Every option with its value, keys as in files. */
  toFile(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries([...this.infos.values()].map(({ key, fileKey }) => [fileKey, options[key] ?? null]));
  }

  /** {@link OptionSet.toFile} as YAML, which `--config` reads back. */
  toYaml(options: Readonly<Record<string, unknown>>): string {
    return stringify(this.toFile(options));
  }

  /**
   * A flag's text as the value it stands for; the range is checked by {@link OptionSet.resolve}.
   *
   * @throws UserError when a number was expected and the text is none
   */
  parseFlag(key: string, text: string): unknown {
    const info = this.infos.get(key);
    if (info === undefined) throw new UserError(`unknown option ${spelled(key, "flag")}`);
    if (info.nullable && (text === "none" || text === "null")) return null;
    if (info.kind === "flag") {
      if (text === "true" || text === "false") return text === "true";
      throw this.wrong(key, text);
    }
    if (info.kind === "names") return text.split(",").map((name) => name.trim());
    const number = (part: string) => {
      const value = Number(part);
      if (part.trim() === "" || !Number.isFinite(value)) throw this.wrong(key, text);
      return value;
    };
    if (info.kind === "numbers") return text.split(",").map(number);
    return info.kind === "integer" || info.kind === "number" ? number(text) : text;
  }
}
