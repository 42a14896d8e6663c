/** One option: what its schema carries, what flags and errors need to know of it, and how its name is spelled. */
import * as z from "zod";

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

/** The values of some fields, once they are resolved. */
export type OptionsOf<Fields extends z.ZodRawShape> = z.output<z.ZodObject<Fields, z.core.$strict>>;

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

/** Where an option's name is written: on the command line, in a file, in TypeScript. */
export type Spelling = "flag" | "file" | "code";

/** Values from one place. A later layer wins over an earlier one. */
export interface OptionLayer {
  /** What to call the place in errors: `preset nano`, `run.yaml`, `command line`. */
  readonly source: string;
  /** How keys of this place are spelled in errors. */
  readonly spelling: Spelling;
  /** Keys in camelCase, kebab-case or snake_case. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** An option's name as it is written at a place: `--top-p`, `top_p`, `topP`. */
export function spelled(key: string, spelling: Spelling): string {
  return { flag: `--${separated(key, "-")}`, file: separated(key, "_"), code: key }[spelling];
}

/** The key of a name in any spelling. */
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

/** Reads an option's schema. */
export function describe(key: string, field: z.ZodType): OptionInfo {
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
