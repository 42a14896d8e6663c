/** Pieces of SVG text. The same input gives the same bytes everywhere. */

export type Attributes = Readonly<Record<string, string | number>>;

/** One element; children are SVG text already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escapeText(String(typeof value === "number" ? short(value) : value))}"`,
  );
  return children.length === 0
    ? `<${name}${written.join("")}/>`
    : `<${name}${written.join("")}>${children.join("")}</${name}>`;
}

/** A line of text. */
export function label(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escapeText(text));
}

/** An open line through points. */
export function polyline(points: readonly (readonly [number, number])[], attributes: Attributes): string {
  const written = points.map(([x, y]) => `${short(x)},${short(y)}`).join(" ");
  return element("polyline", {
    points: written,
    fill: "none",
    "stroke-linejoin": "round",
    "stroke-linecap": "round",
    ...attributes,
  });
}

/** At most two decimals: finer than any screen, and without the noise of the last bits. */
export function short(value: number): string {
  const text = value.toFixed(2).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

/** Text that cannot become markup; characters that XML forbids are left out. */
function escapeText(text: string): string {
  return text
    .replace(FORBIDDEN, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** At most so many characters; what is cut off leaves an ellipsis. */
export function clipped(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}
