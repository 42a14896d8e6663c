import { UserError } from "./user-error";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Typed access to a JSON object, with errors that name the key. `null` counts as absent, as in transformers. */
export class JsonReader {
  private readonly json: JsonObject;
  private readonly source: string;

  constructor(json: JsonObject, source: string) {
    this.json = json;
    this.source = source;
  }

  fail(why: string): never {
    throw new UserError(`${this.source}: ${why}`);
  }

  value(key: string): unknown {
    const value = Object.hasOwn(this.json, key) ? this.json[key] : undefined;
    return value === null ? undefined : value;
  }

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  count(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (value === undefined) this.fail(`key ${key} is missing`);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1)
      this.fail(`${key} is ${JSON.stringify(value)}, expected a positive whole number`);
    return value;
  }

  positive(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (value === undefined) this.fail(`key ${key} is missing`);
    if (typeof value !== "number" || !(value > 0) || !Number.isFinite(value))
      this.fail(`${key} is ${JSON.stringify(value)}, expected a positive number`);
    return value;
  }

  flag(key: string): boolean {
    const value = this.value(key) ?? false;
    if (typeof value !== "boolean") this.fail(`${key} is ${JSON.stringify(value)}, expected true or false`);
    return value;
  }

  object(key: string): JsonReader | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      this.fail(`${key} must be an object or null`);
    return new JsonReader(value as JsonObject, `${this.source}: ${key}`);
  }

  tokenIds(key: string): number[] {
    const value = this.value(key);
    const ids: unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
    return ids.map((id) => {
      if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0) return id;
      return this.fail(`${key} is ${JSON.stringify(value)}, expected a token id or a list of them`);
    });
  }
}
