import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { reasonOf, UserError } from "../base/errors";
import { isRecord } from "../base/json";
import { at } from "../base/must";
import { CHARACTER_TOKENS, isCharacterConfig } from "./character-tokenizer";

/** One turn of a conversation. Templates may read further keys, such as `tool_calls`. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly [key: string]: unknown;
}

/** What a template is rendered with beside the messages. */
export interface ChatSettings {
  /** JSON schemas of the tools that the model may call (default: none). */
  readonly tools?: readonly unknown[];
  /** Ends the text with the opening of the assistant's turn (default true). */
  readonly addGenerationPrompt?: boolean;
  /** Further variables that a template knows, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The time for templates that write the date (default: the clock's). */
  readonly now?: Date;
}

/** The variables of special tokens that templates may use. */
const TOKEN_NAMES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
const TEMPLATE_FILE = "chat_template.jinja";
const CONFIG_FILE = "tokenizer_config.json";

type Program = ReturnType<typeof parse>;

/** Conversations as the text that a model was trained on, by the Jinja template of its folder. */
export class ChatTemplate {
  readonly #templates: ReadonlyMap<string, Program>;
  readonly #tokens: Readonly<Record<string, string>>;

  /**
   * @param sources the templates by name; `default` is used, and `tool_use`, where there is one, when there are tools
   * @param tokens special tokens by variable name
   * @throws UserError when a template cannot be parsed
   */
  constructor(sources: ReadonlyMap<string, string>, tokens: Readonly<Record<string, string>>) {
    this.#templates = new Map([...sources].map(([name, source]) => [name, parsed(name, source)]));
    this.#tokens = tokens;
  }

  /** @throws UserError when the template refuses the conversation, with the reason that it gives, or fails */
  render(messages: readonly ChatMessage[], settings: ChatSettings = {}): string {
    const { tools, addGenerationPrompt = true, variables = {}, now = new Date() } = settings;
    const template = (tools !== undefined && this.#templates.get("tool_use")) || this.#templates.get("default");
    if (template === undefined)
      throw new UserError(
        `the model's chat templates are called ${[...this.#templates.keys()].join(", ")}; expected one called default`,
      );
    try {
      return rendered(template, {
        ...this.#tokens,
        ...variables,
        messages,
        tools: tools ?? null,
        documents: null,
        add_generation_prompt: addGenerationPrompt,
        strftime_now: (format: string) => formatDate(now, format),
      });
    } catch (error) {
      throw new UserError(
        `the model's chat template fails on a conversation of ${messages.map(({ role }) => role).join(", ")}: ${reasonOf(error)}`,
      );
    }
  }
}

/**
 * The chat template of a model folder: chat_template.jinja, else `chat_template` of tokenizer_config.json, which is a
 * text or a list of named texts. Special tokens come from tokenizer_config.json, else from special_tokens_map.json.
 *
 * @param files texts of the folder's files by name
 * @returns undefined when the folder has none
 * @throws UserError when there is one that cannot be read
 */
export function chatTemplate(files: ReadonlyMap<string, string>): ChatTemplate | undefined {
  const config = jsonObject(files, CONFIG_FILE);
  const file = files.get(TEMPLATE_FILE);
  const sources = file === undefined ? namedTemplates(config.chat_template) : new Map([["default", file]]);
  if (sources === undefined) return undefined;
  const map = jsonObject(files, "special_tokens_map.json");
  const tokens: Record<string, string> = isCharacterConfig(config) ? { ...CHARACTER_TOKENS } : {};
  for (const name of TOKEN_NAMES) {
    const text = tokenText(config[name]) ?? tokenText(map[name]);
    if (text !== undefined) tokens[name] = text;
  }
  return new ChatTemplate(sources, tokens);
}

/** The library's own globals cannot be replaced, and its date speaks the machine's language; so all are given here. */
function rendered(template: Program, variables: Readonly<Record<string, unknown>>): string {
  const environment = new Environment();
  const constants = { true: true, false: false, none: null, True: true, False: false, None: null };
  const raise_exception = (message: unknown) => {
    throw new Error(String(message));
  };
  for (const [name, value] of Object.entries({ ...constants, range, raise_exception, ...variables }))
    environment.set(name, value);
  return String(new Interpreter(environment).run(template).value);
}

/** Python's. */
function range(first: number, second?: number, step = 1): number[] {
  const [start, end] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new Error("range() has step 0");
  return Array.from({ length: Math.max(0, Math.ceil((end - start) / step)) }, (_, i) => start + i * step);
}

function namedTemplates(value: unknown): ReadonlyMap<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return new Map([["default", value]]);
  const entries: unknown[] = Array.isArray(value) ? value : [];
  const named = entries.flatMap((entry): [string, string][] =>
    isRecord(entry) && typeof entry.name === "string" && typeof entry.template === "string"
      ? [[entry.name, entry.template]]
      : [],
  );
  if (named.length === 0 || named.length < entries.length)
    throw new UserError(
      `${CONFIG_FILE}: chat_template is neither a text nor a list of {name, template}; get the file again from where the model came from`,
    );
  return new Map(named);
}

function parsed(name: string, source: string): Program {
  try {
    return parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
  } catch (error) {
    throw new UserError(
      `the model's chat template${name === "default" ? "" : ` ${name}`} cannot be parsed as Jinja: ${reasonOf(error)}`,
    );
  }
}

/** A special token as the files write it: a text, or an object around it. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return isRecord(value) && typeof value.content === "string" ? value.content : undefined;
}

function jsonObject(files: ReadonlyMap<string, string>, name: string): Readonly<Record<string, unknown>> {
  const text = files.get(name);
  if (text === undefined) return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UserError(`${name}: not JSON; get the file again from where the model came from`);
  }
  return isRecord(json) ? json : {};
}

/** Names that do not depend on the machine's language. */
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/**
 * A date in C's strftime notation, in English and local time, as chat templates ask for it.
 * Knows `%Y %y %m %d %B %b %A %a %H %M %S %%`.
 * @throws Error at any other field
 */
export function formatDate(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const month = at(MONTHS, date.getMonth());
  const day = at(DAYS, date.getDay());
  const fields: Readonly<Record<string, string>> = {
    Y: String(date.getFullYear()),
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    d: two(date.getDate()),
    B: month,
    b: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    H: two(date.getHours()),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    "%": "%",
  };
  return format.replace(/%([\s\S])/g, (field: string, letter: string) => {
    const text = fields[letter];
    if (text === undefined) throw new Error(`strftime_now does not know ${field}`);
    return text;
  });
}
