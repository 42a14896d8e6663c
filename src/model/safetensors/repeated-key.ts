/** Repeated keys of a JSON text, which JSON.parse does not report. */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The first key that an object of this (valid) JSON text holds twice: JSON.parse keeps the last one without a word. */
export function repeatedKey(text: string): string | undefined {
  // For each open bracket: the keys of an object, undefined for a list.
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      const key = nextSign(text, end) === ":" ? (JSON.parse(text.slice(at, end)) as string) : undefined;
      const keys = open.at(-1);
      if (key !== undefined && keys?.has(key)) return key;
      if (key !== undefined) keys?.add(key);
      at = end - 1;
    }
  }
  return undefined;
}

/** Place after the closing quote of the string that begins at `at`. */
function endOfString(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text.charCodeAt(end) !== QUOTE) end += text.charCodeAt(end) === BACKSLASH ? 2 : 1;
  return end + 1;
}

function nextSign(text: string, from: number): string | undefined {
  let at = from;
  while (/\s/.test(text.charAt(at))) at++;
  return text[at];
}
