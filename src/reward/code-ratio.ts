/** What Python's `str.strip` removes. */
const SPACES = new Set(
  "\t\n\v\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000",
);

function isBlank(text: string): boolean {
  for (const character of text) if (!SPACES.has(character)) return false;
  return true;
}

/**
 * The published "code ratio" of ZeroTIR, per response: the text is split at "```python"; among the pieces that hold
 * "```", is there one with anything but white space before the first "```"? It counts code that never ran, and any
 * closed fence with text before it: read it beside a count of executed blocks.
 * @returns 0 or 1.
 */
export function legacyCodeReward(response: string): 0 | 1 {
  const withCode = response.split("```python").some((piece) => {
    const fence = piece.indexOf("```");
    return fence >= 0 && !isBlank(piece.slice(0, fence));
  });
  return withCode ? 1 : 0;
}

/** Numbers of fences in a response. */
export interface FenceCounts {
  /** Complete "```python\n ... ```" blocks. */
  readonly code: number;
  /** Complete "```output\n ... ```" blocks. */
  readonly output: number;
  /** Opening "```python\n", closed or not. */
  readonly opened: number;
}

export function countFences(response: string): FenceCounts {
  return {
    code: completeBlocks(response, "```python\n"),
    output: completeBlocks(response, "```output\n"),
    opened: response.split("```python\n").length - 1,
  };
}

function completeBlocks(text: string, opening: string): number {
  let count = 0;
  for (let from = 0; ; count++) {
    const start = text.indexOf(opening, from);
    if (start < 0) return count;
    const end = text.indexOf("```", start + opening.length);
    if (end < 0) return count;
    from = end + 3;
  }
}
