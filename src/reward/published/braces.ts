/**
 * `\frac12`, `\frac1{72}` and `\frac1b` with braces, as the MATH normaliser does it: of what stands behind each `\frac`
 * without a brace, the first two characters are the arguments.
 */
export function braceFractions(text: string): string {
  const [head = "", ...pieces] = text.split("\\frac");
  let result = head;
  for (const piece of pieces) {
    result += "\\frac";
    if (piece.startsWith("{")) {
      result += piece;
      continue;
    }
    if (piece.length < 2) return text;
    const [top = "", bottom = ""] = piece;
    result += bottom === "{" ? `{${top}}${piece.slice(1)}` : `{${top}}{${bottom}}${piece.slice(2)}`;
  }
  return result;
}

/** `\sqrt3` with braces around one character. */
export function braceRoots(text: string): string {
  return text.replace(/\\sqrt([^{])/g, "\\sqrt{$1}");
}

/** A whole answer `a/b` of whole numbers as `\frac{a}{b}`. */
export function slashFraction(text: string): string {
  const match = /^(-?\d+)\/(-?\d+)$/.exec(text);
  return match === null ? text : `\\frac{${Number(match[1])}}{${Number(match[2])}}`;
}

/** Content of the braces that open at `at`, counting every brace; undefined when they never close. */
export function bracedAt(text: string, at: number): string | undefined {
  let depth = 0;
  for (let index = at; index < text.length; index++) {
    if (text[index] === "{") depth += 1;
    else if (text[index] === "}" && --depth === 0) return text.slice(at + 1, index);
  }
  return undefined;
}
