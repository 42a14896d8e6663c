const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

const SPELLED: Readonly<Record<string, string>> = {
  "−": "-",
  "–": "-",
  "—": "-",
  "×": "\\times ",
  "·": "\\cdot ",
  "⋅": "\\cdot ",
  "÷": "\\div ",
  "√": "\\sqrt ",
  π: "\\pi ",
  "∞": "\\infty ",
  "≤": "\\le ",
  "≥": "\\ge ",
  "≠": "\\ne ",
  "≈": "\\approx ",
  "∪": "\\cup ",
  "∩": "\\cap ",
  "∈": "\\in ",
  "∅": "\\emptyset ",
  "±": "\\pm ",
  "∓": "\\mp ",
  "°": "^\\circ ",
  "½": "\\frac12 ",
  "¼": "\\frac14 ",
  "¾": "\\frac34 ",
  θ: "\\theta ",
  α: "\\alpha ",
  β: "\\beta ",
  λ: "\\lambda ",
  "′": "'",
  "’": "'",
  "，": ",",
  "；": ";",
  "：": ":",
  "（": "(",
  "）": ")",
  "％": "%",
  "∖": "\\setminus ",
};

/** Mathematical characters beyond ASCII as LaTeX; runs of superscript digits become one exponent. */
export function asciiMathematics(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test for plain ASCII is about exactly these.
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return text
    .replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (run) => `^{${digits(run.replaceAll("⁻", "-"), SUPERSCRIPTS)}}`)
    .replace(/[₀₁₂₃₄₅₆₇₈₉]+/g, (run) => `_{${digits(run, SUBSCRIPTS)}}`)
    .replace(/[\s\S]/gu, (character) => SPELLED[character] ?? character)
    .normalize("NFKC");
}

function digits(run: string, alphabet: string): string {
  return [...run].map((character) => (alphabet.includes(character) ? alphabet.indexOf(character) : character)).join("");
}
