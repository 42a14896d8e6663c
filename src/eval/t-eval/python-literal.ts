/** Values as Python writes them, read and written. Pure. */

/**
 * A Python literal: numbers, texts, True, False, None, lists, tuples, sets and dictionaries. Nothing is run.
 * Tuples and sets become arrays; whole numbers beyond 2^53 are rounded.
 * @throws SyntaxError for anything else
 */
export function pythonLiteral(text: string): unknown {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** What Python's `str` gives: the text itself, `{'a': 1}`, `True`, `None`. */
export function pythonText(value: unknown): string {
  return typeof value === "string" ? value : representation(value);
}

function representation(value: unknown): string {
  if (typeof value === "string") {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
    const escaped = value
      .replaceAll("\\", "\\\\")
      .replaceAll("\n", "\\n")
      .replaceAll("\r", "\\r")
      .replaceAll("\t", "\\t");
    return `${quote}${escaped.replaceAll(quote, `\\${quote}`)}${quote}`;
  }
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null || value === undefined) return "None";
  if (Array.isArray(value)) return `[${value.map(representation).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, each]) => `${representation(key)}: ${representation(each)}`)
      .join(", ")}}`;
  return String(value);
}

const NAMES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["True", true],
  ["False", false],
  ["None", null],
]);
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", "\n": "" };
const DEEPEST = 100;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): unknown {
    if (depth > DEEPEST) throw new SyntaxError("nested too deep");
    this.#skipSpace();
    const first = this.#text[this.#at] ?? "";
    if (first === "{") return this.#braces(depth + 1);
    if (first === "[") return this.#items("]", depth + 1).values;
    if (first === "(") {
      const { values, comma } = this.#items(")", depth + 1);
      return values.length === 1 && !comma ? values[0] : values;
    }
    if (first === '"' || first === "'") return this.#strings();
    const name = this.#match(/[A-Za-z_]+/y);
    if (name !== undefined) {
      if (NAMES.has(name)) return NAMES.get(name);
      throw new SyntaxError(`${name} is no literal`);
    }
    const number = this.#match(/[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y);
    if (number === undefined) throw new SyntaxError(`unexpected ${first || "end"}`);
    return Number(number.replaceAll("_", ""));
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw new SyntaxError("more than one value");
  }

  #braces(depth: number): unknown {
    const entries: [string, unknown][] = [];
    const members: unknown[] = [];
    this.#at++;
    while (!this.#take("}")) {
      const key = this.value(depth);
      if (this.#take(":")) entries.push([pythonText(key), this.value(depth)]);
      else members.push(key);
      if (!this.#take(",") && !this.#sees("}")) throw new SyntaxError("expected , or }");
    }
    if (members.length > 0 && entries.length > 0) throw new SyntaxError("a set and a dictionary in one");
    return members.length > 0 ? members : Object.fromEntries(entries);
  }

  #items(close: string, depth: number): { values: unknown[]; comma: boolean } {
    const values: unknown[] = [];
    let comma = false;
    this.#at++;
    while (!this.#take(close)) {
      values.push(this.value(depth));
      comma = this.#take(",");
      if (!comma && !this.#sees(close)) throw new SyntaxError(`expected , or ${close}`);
    }
    return { values, comma };
  }

  /** Texts that follow each other are one. */
  #strings(): string {
    let whole = "";
    while (this.#sees('"') || this.#sees("'")) {
      const quote = this.#match(/'''|"""|'|"/y) ?? "";
      for (;;) {
        const character = this.#text[this.#at];
        if (character === undefined || (character === "\n" && quote.length === 1))
          throw new SyntaxError("a text without its end");
        if (this.#text.startsWith(quote, this.#at)) break;
        this.#at++;
        whole += character === "\\" ? this.#escape() : character;
      }
      this.#at += quote.length;
    }
    return whole;
  }

  #escape(): string {
    const code = this.#match(/x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}/y);
    if (code !== undefined) {
      const point = Number.parseInt(code.slice(1), 16);
      if (point > 0x10ffff) throw new SyntaxError("no such character");
      return String.fromCodePoint(point);
    }
    const character = this.#text[this.#at++] ?? "";
    if (["\\", "'", '"'].includes(character)) return character;
    return ESCAPES[character] ?? `\\${character}`;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #sees(character: string): boolean {
    this.#skipSpace();
    return this.#text[this.#at] === character;
  }

  #take(character: string): boolean {
    const seen = this.#sees(character);
    if (seen) this.#at++;
    return seen;
  }

  #skipSpace(): void {
    this.#match(/\s*/y);
  }
}
