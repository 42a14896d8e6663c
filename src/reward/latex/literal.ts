import { decimal, rational } from "../exact/rational";
import type { NumberNode } from "./tree";

/** A literal's node. @param text digits with at most one point, perhaps with an exponent of ten. */
export function literal(text: string): NumberNode {
  const [mantissa = "", exponent] = text.split(/e/i);
  const value = decimal(mantissa);
  const places = mantissa.split(".")[1]?.length ?? 0;
  if (exponent === undefined) return places > 0 ? { kind: "number", value, places } : { kind: "number", value };
  const power = Number(exponent);
  const scale = 10n ** BigInt(Math.abs(power));
  return {
    kind: "number",
    value: power < 0 ? rational(value.n, value.d * scale) : rational(value.n * scale, value.d),
    places: Math.max(places - power, 0),
  };
}

/** `0.1` and the digits that repeat, `6`, give 1/6. */
export function repeatingDecimal(text: string, repeated: string): NumberNode {
  const [whole = "", fixed = ""] = text.split(".");
  const ten = 10n ** BigInt(fixed.length);
  const nines = 10n ** BigInt(repeated.length) - 1n;
  const value = rational(BigInt(`${whole}${fixed}` || "0") * nines + BigInt(repeated), ten * nines);
  return { kind: "number", value };
}
