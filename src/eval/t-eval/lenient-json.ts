/** What a model wrote in place of JSON, read as T-Eval does. Pure. */
import { pythonLiteral } from "./python-literal";

const FENCE = "```json";

/**
 * The value in a text: what follows a JSON fence where there is one, from the first `open` to the last `close` where
 * they are given, as a Python literal, else as JSON, else as JSON with its single quotes doubled. What is no text is
 * the value already.
 * @returns undefined when it is none of these
 */
export function lenientJson(data: unknown, open = "", close = ""): unknown {
  if (typeof data !== "string") return data;
  const fence = data.indexOf(FENCE);
  let text = fence < 0 ? data : data.slice(fence + FENCE.length).replace(/^`+|`+$/g, "");
  if (open !== "") text = text.slice(Math.max(0, text.indexOf(open)));
  if (close !== "") text = text.slice(0, text.lastIndexOf(close) + close.length);
  for (const read of [
    () => pythonLiteral(text),
    (): unknown => JSON.parse(text),
    (): unknown => JSON.parse(text.replaceAll("'", '"')),
  ])
    try {
      return read();
    } catch {
      // The next way.
    }
  return undefined;
}

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
