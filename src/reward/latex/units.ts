/** Other spellings of units, singular, lower case; what is not listed stands for itself. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  mm: ["millimeter", "millimetre"],
  cm: ["centimeter", "centimetre"],
  m: ["meter", "metre"],
  km: ["kilometer", "kilometre"],
  in: ["inch", "inches"],
  ft: ["foot", "feet"],
  yd: ["yard"],
  mi: ["mile"],
  mg: ["milligram"],
  g: ["gram", "gm"],
  kg: ["kilogram", "kilo"],
  lb: ["pound"],
  oz: ["ounce"],
  ml: ["milliliter", "millilitre"],
  l: ["liter", "litre"],
  s: ["second", "sec"],
  min: ["minute"],
  h: ["hour", "hr"],
  day: [],
  week: [],
  month: [],
  year: ["yr"],
  mph: [],
  "%": ["percent", "percentage", "pct"],
  degree: ["deg"],
  radian: ["rad"],
  $: ["dollar", "usd", "buck"],
  cent: [],
  euro: ["eur"],
  hz: [],
  j: ["joule"],
  n: ["newton"],
  w: ["watt"],
  mile: [],
  hertz: [],
  gallon: ["gal"],
  people: ["person"],
  unit: [],
};

const CANONICAL = new Map<string, string>();
for (const [name, others] of Object.entries(SPELLINGS))
  for (const spelling of [name, ...others]) CANONICAL.set(spelling, name);
CANONICAL.set("mile", "mi");
CANONICAL.set("hertz", "hz");

function singular(word: string): string {
  if (CANONICAL.has(word)) return word;
  const shorter = word.replace(/s$/, "");
  return shorter.length >= 2 || CANONICAL.has(shorter) ? shorter : word;
}

/** Whether plain letters are a unit's name; single letters are, in plain text, variables. */
export function isUnitName(word: string): boolean {
  return word.length > 1 && CANONICAL.has(singular(word.toLowerCase()));
}

/** One spelling for every unit: `Centimeters` is `cm`, `square feet` is `ft^2`, `units` and the like are none. */
export function canonicalUnit(text: string): string {
  const words = text
    .toLowerCase()
    .replace(/\bsquared\b/g, "^2")
    .replace(/\bcubed\b/g, "^3")
    .replace(/\bper\b/g, "/")
    .replace(/[{}.]/g, "")
    .split(/(\s+|\/|\^)/)
    .map((word) => word.trim())
    .filter((word) => word !== "" && word !== "of" && word !== "the");
  const powers: Readonly<Record<string, string>> = { square: "^2", sq: "^2", cubic: "^3", cu: "^3" };
  let waiting = "";
  let unit = "";
  for (const word of words) {
    const power = powers[word];
    if (power !== undefined) {
      waiting = power;
      continue;
    }
    const name = singular(word);
    unit += /^[\^/]/.test(word) || /[\^/]$/.test(unit) || unit === "" ? "" : " ";
    unit += (CANONICAL.get(name) ?? name) + waiting;
    waiting = "";
  }
  return unit === "unit" || unit.startsWith("unit^") ? "" : unit;
}

const NOT_UNITS = new RegExp(
  String.raw`\b(?:${[
    "no not never none or and if when where for except but wrong to is are was infinite infinitely many",
    "undefined imaginary unless without minus plus times mod thousand million billion trillion hundred",
    "dozen half remainder",
  ]
    .join(" ")
    .replaceAll(" ", "|")})\b`,
  "i",
);

/**
 * Whether words after a number can be what is counted or measured. Words that change the value or take it back cannot.
 */
export function canBeUnit(words: string): boolean {
  return (
    /^[A-Za-z%°$²³/.^\s\d{}-]+$/.test(words) &&
    !NOT_UNITS.test(words) &&
    words.split(/\s+/).length <= 4 &&
    !/(?:^|\s)\d/.test(words)
  );
}
