/** The final answer inside a published solution, for data sets that have no column of their own for it. */

/** What the last `\boxed{...}` or `\fbox{...}` holds, by matching braces; undefined without one that is closed. */
export function lastBoxed(solution: string): string | undefined {
  for (const start of [...solution.matchAll(/\\(?:boxed|fbox)\s*\{/g)].reverse()) {
    const from = start.index + start[0].length;
    let depth = 1;
    for (let at = from; at < solution.length; at++) {
      const letter = solution[at];
      if (letter === "\\") at++;
      else if (letter === "{") depth++;
      else if (letter === "}" && --depth === 0) return solution.slice(from, at).trim();
    }
  }
  return undefined;
}

/**
 * The number after the last `####` line of a GSM8K solution, without thousands commas; undefined when there is none.
 */
export function afterHashes(solution: string): string | undefined {
  const last = [...solution.matchAll(/(?:^|\n)####[ \t]*([^\n]+)/g)].at(-1)?.[1]?.trim();
  return last?.replace(/(?<=\d),(?=\d{3}(?!\d))/g, "");
}
