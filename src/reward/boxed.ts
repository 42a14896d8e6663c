/**
 * The content of the last closed `\boxed{...}` of a text, braces matched; `\{` and `\}` are letters, not groups. The form `\boxed 5$` is read
 * up to the dollar sign. A box that never closes does not count: an answer must be complete. One pass over the text, whatever it holds.
 * @returns undefined when there is no closed box; the content as written, possibly empty, otherwise.
 */
export function extractBoxed(text: string): string | undefined {
  let best: { start: number; end: number } | undefined;
  /** Starts of the open groups' contents; -1 for a group that is no box. */
  const open: number[] = [];
  /** Start of the content of a `\boxed ` without braces that waits for its dollar sign. */
  let bare: number | undefined;
  const close = (start: number, end: number) => {
    if (best === undefined || start > best.start) best = { start, end };
  };
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === "\\") {
      if (text.startsWith("boxed", at + 1)) {
        const afterName = at + 1 + "boxed".length;
        let content = afterName;
        while (text[content] === " ") content += 1;
        if (text[content] === "{") open.push(++content);
        else if (content > afterName) bare = content;
        at = content;
      } else {
        // Two backslashes are one line break, unless a box begins at the second.
        at += text[at + 1] === "\\" && text.startsWith("boxed", at + 2) ? 1 : 2;
      }
      continue;
    }
    if (character === "{") {
      open.push(-1);
    } else if (character === "}") {
      const start = open.pop();
      if (start !== undefined && start >= 0) close(start, at);
    } else if (character === "$" && bare !== undefined) {
      close(bare, at);
      bare = undefined;
    }
    at += 1;
  }
  return best === undefined ? undefined : text.slice(best.start, best.end);
}

/** How often `\boxed` is written, closed or not. */
export function countBoxed(text: string): number {
  return text.split("\\boxed").length - 1;
}

/**
 * Whether the boxed answer equals a gold answer as text, spaces and enclosing dollar signs apart. An empty box is never right.
 * @param gold one answer or several, each of which is right.
 */
export function boxedExactMatch(modelText: string, gold: string | readonly string[]): boolean {
  const prediction = extractBoxed(modelText);
  return prediction !== undefined && answersEqual(prediction, gold);
}

/** {@link boxedExactMatch} for an answer that has been extracted already. */
export function answersEqual(prediction: string, gold: string | readonly string[]): boolean {
  const normalised = normalise(prediction);
  const answers = typeof gold === "string" ? [gold] : gold;
  return normalised !== "" && answers.some((answer) => normalise(answer) === normalised);
}

function normalise(answer: string): string {
  return answer.replace(/\s/g, "").replace(/^\$+/, "").replace(/\$+$/, "");
}
