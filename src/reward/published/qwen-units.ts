/**
 * Words that Qwen2.5-Math's evaluation takes off an answer as units. The points are, as published, patterns for any
 * character.
 */
const WORDS =
  `east|degree|mph|kmph|ft|m sqaure| m east|sq m|deg|mile|q .|monkey|prime|ratio|profit of rs|rd|o|gm|p . m|lb|tile|per|dm|lt|gain|ab|way|west|a .|b .|c .|d .|e .|f .|g .|h .|t|a|h|no change|men|soldier|pie|bc|excess|st|inches|noon|percent|by|gal|kmh|c|acre|rise|a . m|th|π r 2|sq|mark|l|toy|coin|sq . m|gallon|° f|profit|minw|yr|women|feet|am|pm|hr|cu cm|square|v â € ™|are|rupee|rounds|cubic|cc|mtr|s|ohm|number|day|hour|minute|min|second|man|woman|sec|cube|mt|sq inch|mp|∏ cm ³|hectare|more|unit|cu . m|cm 2|rs .|rs|kg|g|month|km|m|cm|mm|apple|liter|loss|yard|pure|year|increase|decrease|d|less|Surface|litre|pi sq m|s .|metre|meter|inch`.split(
    "|",
  );

/** Longer answers name no unit. */
const MOST_CHARACTERS = 500;

const PATTERNS = WORDS.flatMap((word) => [word, `${word}s`]).map(
  (word) => new RegExp(`(^|\\W)(?:${word})($|\\W)`, "g"),
);

/** One pass over all words; a result that would be empty is not taken. */
export function withoutQwenUnits(text: string): string {
  if (text.length > MOST_CHARACTERS) return text;
  let result = text;
  for (const pattern of PATTERNS) {
    const shorter = result.replace(pattern, "$1$2");
    if (shorter !== "") result = shorter;
  }
  return result;
}
