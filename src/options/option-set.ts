import { stringify } from "yaml";
import * as z from "zod";
import { UserError } from "../base/errors";
import { nearest } from "../base/nearest";

/** Heading under which `--help` shows an option. */
export type OptionGroup =
  | "Model and data"
  | "Run"
  | "Sampling"
  | "Tool"
  | "Objective"
  | "Critic"
  | "Adapter"
  | "Optimizer"
  | "Evaluation"
  | "Endpoint"
  | "Device and memory";

/** What `--help`, flags and errors need to know about one option; read from its schema. */
export interface OptionInfo {
  /** camelCase, as in TypeScript. */
  readonly key: string;
  /** kebab-case, as on the command line. */
  readonly flag: string;
  /** snake_case, as in files. */
  readonly fileKey: string;
  readonly kind: "texts" | "names" | "numbers" | "text" | "integer" | "number" | "flag" | "choice";
  /** May be null, written `none` on the command line. */
  readonly nullable: boolean;
  /** Undefined: the option has to be given. */
  readonly defaultValue: unknown;
  readonly group: string;
  readonly help: string;
  /** Ends the sentence "expected ...". */
  readonly expected: string;
  readonly choices: readonly string[];
}

/** Values from one place. A later layer wins over an earlier one. */
export interface OptionLayer {
  /** What to call the place in errors: `preset nano`, `run.yaml`, `command line`. */
  readonly source: string;
  /** How keys of this place are spelled in errors. */
  readonly spelling: "flag" | "file" | "code";
  /** Keys in camelCase, kebab-case or snake_case. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** The options of one command: a strict zod object in which every option carries {@link about}. */
export class OptionSet<Shape extends z.ZodRawShape> {
  readonly name: string;
  readonly schema: z.ZodObject<Shape, z.core.$strict>;
  readonly infos: ReadonlyMap<string, OptionInfo>;

  constructor(name: string, shape: Shape) {
    this.name = name;
    this.schema = z.strictObject(shape);
    this.infos = new Map(
      Object.entries<unknown>(this.schema.shape).flatMap(([key, field]) =>
        field instanceof z.ZodType ? [[key, describe(key, field)] as const] : [],
      ),
    );
  }

  /**
   * Lays the layers over the defaults, first to last.
   *
   * @throws UserError naming the place, the option, the value, and what was expected; for an unknown key the nearest valid one
   */
  resolve(layers: readonly OptionLayer[]): z.output<z.ZodObject<Shape, z.core.$strict>> {
    const merged: Record<string, unknown> = {};
    const from = new Map<string, OptionLayer>();
    for (const layer of layers) {
      const seen = new Set<string>();
      for (const [name, value] of Object.entries(layer.values)) {
        const key = camelCase(name);
        if (!this.infos.has(key)) throw new UserError(this.unknown(name, layer));
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

  /** An error about a value: "run.yaml: top_p is 2, expected ...". `why` replaces what the schema expects. */
  wrong(key: string, value: unknown, layer?: OptionLayer, why?: string): UserError {
    const info = this.infos.get(key);
    const name = info === undefined ? key : spelled(info, layer?.spelling ?? "flag");
    const place = layer !== undefined && layer.spelling !== "flag" ? `${layer.source}: ` : "";
    return new UserError(`${place}${name} is ${JSON.stringify(value)}, ${why ?? `expected ${info?.expected}`}`);
  }

  private unknown(name: string, layer: OptionLayer): string {
    const written = layer.spelling === "flag" ? `--${name}` : name;
    const best = nearest(
      written,
      [...this.infos.values()].map((info) => spelled(info, layer.spelling)),
    );
    return `${layer.source}: unknown option ${written} of ${this.name}; the nearest one is ${best}`;
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
    if (info === undefined) throw new UserError(`unknown option --${key}`);
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

/** An option's name as it is written at a place. */
function spelled(info: OptionInfo, spelling: OptionLayer["spelling"]): string {
  return { flag: `--${info.flag}`, file: info.fileKey, code: info.key }[spelling];
}

/** What every option's schema carries in its zod metadata. */
export function about(group: OptionGroup, description: string): { group: OptionGroup; description: string } {
  return { group, description };
}

/** {@link about} of a list that the command line takes with commas between its texts. */
export function aboutNames(group: OptionGroup, description: string): ReturnType<typeof about> & { commas: true } {
  return { ...about(group, description), commas: true };
}

/** One item or a list of them: written with commas on the command line, as a list in files. */
export function listOf<Item extends z.ZodType>(item: Item) {
  const list = z.array(item);
  return z.union([item, list]).transform((value): z.output<Item>[] => {
    const items = list.safeParse(value);
    return items.success ? items.data : list.parse([value]);
  });
}

export function camelCase(name: string): string {
  return name.replace(/[-_]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function separated(key: string, separator: string): string {
  return key.replace(/[A-Z]/g, (letter) => separator + letter.toLowerCase());
}

/** The parts of a JSON schema that options use. */
const jsonType = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  items: z.looseObject({ type: z.string().optional() }).optional(),
});
const jsonField = jsonType.extend({
  anyOf: z.array(jsonType).optional(),
  default: z.unknown().optional(),
  group: z.string(),
  description: z.string(),
  commas: z.boolean().optional(),
});

function describe(key: string, field: z.ZodType): OptionInfo {
  const json = jsonField.parse(z.toJSONSchema(field, { io: "input" }));
  const nullable = json.anyOf?.some(({ type }) => type === "null") ?? false;
  const type = json.anyOf?.find(({ type }) => type !== "null") ?? json;
  const choices = type.enum ?? [];
  const ofNumbers = type.type === "number" || type.type === "integer";
  const kinds: Record<string, OptionInfo["kind"]> = {
    integer: "integer",
    number: "number",
    boolean: "flag",
    array: type.items?.type === "number" ? "numbers" : json.commas === true ? "names" : "texts",
  };
  // One item or a list of such items.
  const isEither =
    type !== json && (json.anyOf?.some((each) => each.type === "array") ?? false) && type.type !== "array";
  const ofItem = choices.length > 0 ? "choice" : (kinds[type.type ?? ""] ?? "text");
  const kind = isEither ? (ofNumbers ? "numbers" : "names") : ofItem;
  const what =
    kind === "choice"
      ? `one of ${choices.join(", ")}`
      : kind === "flag"
        ? "true or false"
        : kind === "texts" || kind === "names"
          ? "texts that are not empty"
          : kind === "numbers"
            ? `${type.type === "integer" ? "whole numbers" : "numbers"}${bounds(type)}${isEither ? ", separated by commas" : ""}`
            : kind === "text"
              ? "a text that is not empty"
              : `a ${kind === "integer" ? "whole number" : "number"}${bounds(type)}`;
  return {
    key,
    flag: separated(key, "-"),
    fileKey: separated(key, "_"),
    kind,
    nullable,
    defaultValue: json.default,
    group: json.group,
    help: json.description,
    expected: nullable ? `${what}, or none` : what,
    choices,
  };
}

function bounds(type: z.infer<typeof jsonType>): string {
  const words: string[] = [];
  if (type.exclusiveMinimum !== undefined) words.push(`above ${type.exclusiveMinimum}`);
  else if (type.minimum !== undefined && type.minimum > Number.MIN_SAFE_INTEGER)
    words.push(`of at least ${type.minimum}`);
  if (type.exclusiveMaximum !== undefined) words.push(`below ${type.exclusiveMaximum}`);
  else if (type.maximum !== undefined && type.maximum < Number.MAX_SAFE_INTEGER) words.push(`at most ${type.maximum}`);
  return words.length > 0 ? ` ${words.join(" and ")}` : "";
}
