/** Data inside an HTML file, such that nothing in it can end its element or run. */

/** Where the data goes in the built page. */
const DATA_MARK = "<!--data-->";

/** Element ids of the data; the page reads them. */
export const RUN_ELEMENT = "run-data";
export const ROLLOUTS_CLASS = "rollout-data";

/**
 * JSON that may stand in a `<script type="application/json">`: no `<`, `>` or `&` is left, so neither a closing tag nor
 * a comment can begin; line separators and lone surrogates are escaped, so that the file is valid UTF-8 and valid
 * JavaScript too.
 */
export function inertJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A data element. The browser does not run scripts of this type. */
export function dataElement(attributes: string, json: string): string {
  return `<script type="application/json" ${attributes}>${json}</script>\n`;
}

/** The built page in two halves, between which the data elements go. @throws Error when it is no built page */
export function splitPage(page: string): readonly [head: string, tail: string] {
  const [head, tail, ...more] = page.split(DATA_MARK);
  if (head === undefined || tail === undefined || more.length > 0)
    throw new Error("the report page has no place for data");
  return [head, tail];
}

/**
 * The page for a server: it may ask the server that it came from for its data, and no one else.
 *
 * @throws Error when it is no built page
 */
export function livePage(page: string): string {
  const closed = "default-src 'none';";
  const [head, tail] = splitPage(page);
  if (!head.includes(closed)) throw new Error("the report page has no content security policy");
  return head.replace(closed, `${closed} connect-src 'self';`) + tail;
}
