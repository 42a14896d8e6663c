/** JSON fields of known types, for config.json and its like. */
import { UserError } from "../base/errors";
import type { JsonObject } from "../base/json";

/** Typed access to a JSON object, with errors that name the key. `null` counts as absent, as in transformers. */
export class JsonReader {
  readonly #json: JsonObject;
  readonly #source: string;

  constructor(json: JsonObject, source: string) {
    this.#json = json;
    this.#source = source;
  }

  fail(why: string): never {
    throw new UserError(`${this.#source}: ${why}`);
  }

  value(key: string): unknown {
    const value = Object.hasOwn(this.#json, key) ? this.#json[key] : undefined;
    return value === null ? undefined : value;
  }

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  count(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (value === undefined) this.fail(`key ${key} is missing`);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1)
      this.fail(`${key} is ${shown(value)}, expected a positive whole number`);
    return value;
  }

  positive(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (value === undefined) this.fail(`key ${key} is missing`);
    if (typeof value !== "number" || !(value > 0) || !Number.isFinite(value))
      this.fail(`${key} is ${shown(value)}, expected a positive number`);
    return value;
  }

  flag(key: string): boolean {
    const value = this.value(key) ?? false;
    if (typeof value !== "boolean") this.fail(`${key} is ${shown(value)}, expected true or false`);
    return value;
  }

  object(key: string): JsonReader | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      this.fail(`${key} must be an object or null`);
    return new JsonReader(value as JsonObject, `${this.#source}: ${key}`);
  }

  tokenIds(key: string): number[] {
    const value = this.value(key);
    const ids: unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
    return ids.map((id) => {
      if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0) return id;
      return this.fail(`${key} is ${shown(value)}, expected a token id or a list of them`);
    });
  }
}

/** Most characters of a foreign value in a message. */
const MOST_SHOWN = 100;

/**
 * A value of a file, short enough for one sentence. A nested one is named by its kind: printing it would follow it as
 * deep as it goes.
 */
export function shown(value: unknown): string {
  const isFlat = !Array.isArray(value) || value.every((entry) => typeof entry !== "object" || entry === null);
  if (Array.isArray(value) && (!isFlat || value.length > MOST_SHOWN)) return `a list of ${value.length} entries`;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}...`;
}
