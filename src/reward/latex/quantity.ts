import { isOperator, spell } from "./brackets";
import type { Token } from "./tokens";
import { canBeUnit, canonicalUnit, isUnitName } from "./units";

/**
 * Takes the unit off the end of an item: `10 \text{ cm}`, `144 {m}^3`, `90^\circ`, `50\%`, `5 apples`, and a currency
 * sign off its beginning.
 * @returns the tokens without it; the unit in its one spelling, empty for none named.
 */
export function splitUnit(item: readonly Token[]): { tokens: readonly Token[]; unit: string } | undefined {
  const currency = item.findIndex((token) => isOperator(token, "currency"));
  if (currency === 0 || (currency === 1 && isOperator(item[0], "-", "+"))) {
    const tokens = item.filter((_, index) => index !== currency);
    return { tokens: splitUnit(tokens)?.tokens ?? tokens, unit: "$" };
  }
  let start = item.length;
  while (start > 1 && isUnitToken(item, start - 1)) start -= 1;
  while (start < item.length && !beginsUnit(item, start)) start += 1;
  if (start >= item.length) return undefined;
  const unit = item.slice(start);
  // The degrees of an angle belong to its sine.
  const isAngle =
    isOperator(unit[0], "^", "degree") && item.some((token) => token.kind === "function" && token.text !== "sqrt");
  if (isAngle) return undefined;
  const text = spell(unit);
  const words = unit.filter((token) => token.kind === "words").map((token) => token.text);
  const braces = (brace: string) => unit.filter((token) => isOperator(token, brace)).length;
  if (!words.every(canBeUnit) || braces("{") !== braces("}")) return undefined;
  return { tokens: item.slice(0, start), unit: unitName(text) };
}

function unitName(text: string): string {
  const spelled = text.replace(/\{ (circ|degree) \}|circ|degree/g, "degree").replace(/^\^ ?/, "");
  if (/^degree C$/.test(spelled)) return "celsius";
  if (/^degree F$/.test(spelled)) return "fahrenheit";
  return canonicalUnit(spelled.replace(/currency/g, "$"));
}

function isUnitToken(item: readonly Token[], at: number): boolean {
  const token = item[at];
  const before = item[at - 1];
  if (token === undefined) return false;
  if (token.kind === "words" || isMinute(item, at)) return true;
  if (token.kind === "letters") return isUnitName(token.text);
  if (token.kind === "number") return isOperator(before, "^") && /^[23]$/.test(token.text);
  if (token.kind === "name")
    return isOperator(before, "/", "circ", "degree", "}") || (isOperator(before, "{") && isOperator(item[at + 1], "}"));
  return isOperator(token, "circ", "degree", "%", "{", "}", "^", "/", "currency");
}

/** `min` is a function, but not after the last number. */
function isMinute(item: readonly Token[], at: number): boolean {
  return at === item.length - 1 && item[at]?.kind === "function" && item[at]?.text === "min";
}

function beginsUnit(item: readonly Token[], at: number): boolean {
  const token = item[at];
  const next = item[at + 1];
  if (token?.kind === "words" || isMinute(item, at) || isOperator(token, "%", "degree")) return true;
  if (token?.kind === "letters") return isUnitName(token.text);
  if (isOperator(token, "currency")) return at === item.length - 1;
  if (isOperator(token, "^"))
    return isOperator(next, "circ") || (isOperator(next, "{") && isOperator(item[at + 2], "circ"));
  // MathCoder's results keep the braces of a lost \text.
  return (
    isOperator(token, "{") &&
    item[at - 1]?.kind === "number" &&
    (next?.kind === "words" || next?.kind === "letters" || next?.kind === "name" || isOperator(next, "/"))
  );
}
