/** How much of a response's end is looked at. */
const LAST_CHARACTERS = 300;
const LAST_CHARACTERS_FOR_BOX = 100;

/**
 * The last `Answer:` line in the last 300 characters, else the box in the last 100 (DAPO, arXiv 2503.14476, both
 * readings of its code).
 */
export function dapoAnswer(response: string): string | null {
  const line = [...response.slice(-LAST_CHARACTERS).matchAll(/Answer\s*:\s*([^\n]+)/gi)].at(-1)?.[1];
  if (line !== undefined) return line.trim();
  const end = response.slice(-LAST_CHARACTERS_FOR_BOX);
  const at = end.lastIndexOf("\\boxed{");
  if (at < 0) return null;
  let depth = 0;
  const start = at + "\\boxed".length;
  for (let index = start; index < end.length; index++) {
    if (end[index] === "{") depth += 1;
    else if (end[index] === "}" && --depth === 0) return end.slice(start + 1, index);
  }
  return null;
}

/** Texts that vanish, in this order; the first group is replaced one by one before it. */
const REPLACED: readonly (readonly [string, string])[] = [
  ["an ", ""],
  ["a ", ""],
  [".$", "$"],
  ["\\$", ""],
  ["\\ ", ""],
  [" ", ""],
  ["mbox", "text"],
  [",\\text{and}", ","],
  ["\\text{and}", ","],
  ["\\text{m}", "\\text{}"],
];
const REMOVED =
  'square ways integers dollars mph inches hours km units \\ldots sue points feet minutes digits cents degrees cm gm pounds meters meals edges students childrentickets multiples \\text{s} \\text{.} \\text{\ns} \\text{}^2 \\text{}^3 \\text{\n} \\text{} \\mathrm{th} ^\\circ ^{\\circ} \\; ,\\! {,} " \\dots'.split(
    " ",
  );

/**
 * The normal form in which DAPO compares answers as text, after Lewkowycz et al. (Minerva, arXiv 2206.14858, appendix
 * D.1).
 */
export function dapoNormalForm(answer: string): string {
  let text = answer.split("=").at(-1) ?? "";
  for (const [from, to] of REPLACED) text = text.replaceAll(from, to);
  for (const gone of REMOVED) text = text.replaceAll(gone, "");
  text = text
    .replace(/^(?:.*?)\$(.*?)\$.*/, "$$$1$$")
    .replace(/\\text\{(.*?)\}/g, "$1")
    .replace(/\\textbf\{(.*?)\}/g, "$1")
    .replace(/\\overline\{(.*?)\}/g, "$1")
    .replace(/\\boxed\{(.*)\}/g, "$1")
    .replace(/frac([^{])(.)/g, "frac{$1}{$2}")
    .replace(/sqrt([^{])/g, "sqrt{$1}")
    .replaceAll("$", "");
  const digits = text.replaceAll(",", "");
  return (/^\d+$/.test(digits) ? digits : text).trim();
}
