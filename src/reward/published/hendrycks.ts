import { bracedAt, braceFractions, braceRoots, slashFraction } from "./braces";

/**
 * The last `\boxed` or `\fbox` of a text, braces counted as they come; null without one or when it never closes
 * (Hendrycks et al., MATH).
 */
export function hendrycksBox(text: string): string | null {
  let at = text.lastIndexOf("\\boxed");
  if (at < 0) at = text.lastIndexOf("\\fbox");
  if (at < 0) return null;
  const spaced = /^\\boxed ([^$]*)/.exec(text.slice(at));
  if (spaced !== null) return spaced[1] ?? null;
  const open = text.indexOf("{", at);
  return open < 0 ? null : (bracedAt(text, open) ?? null);
}

/**
 * The normal form in which the MATH data set's own grader compares answers as text (Hendrycks et al. 2021, arXiv
 * 2103.03874).
 */
export function hendrycksNormalForm(answer: string): string {
  let text = answer
    .replaceAll("\n", "")
    .replaceAll("\\!", "")
    .replaceAll("\\\\", "\\")
    .replace(/[td]frac/g, "frac")
    .replace(/\\left|\\right/g, "")
    .replace(/\^\{\\circ\}|\^\\circ/g, "")
    .replaceAll("\\$", "");
  const [value = "", ...units] = text.split("\\text{ ");
  if (units.length === 1) text = value;
  text = text.replaceAll("\\%", "").replaceAll(" .", " 0.").replaceAll("{.", "{0.");
  if (text === "") return text;
  if (text.startsWith(".")) text = `0${text}`;
  const sides = text.split("=");
  if (sides.length === 2 && (sides[0]?.length ?? 0) <= 2) text = sides[1] ?? "";
  text = braceFractions(braceRoots(text).replaceAll(" ", ""));
  return slashFraction(text === "0.5" ? "\\frac{1}{2}" : text);
}
