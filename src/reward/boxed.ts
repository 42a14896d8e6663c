/** A closed `\boxed{...}`: its content as written, and the text's part that it takes up. */
export interface Box {
  readonly content: string;
  readonly start: number;
  readonly end: number;
}

const [BACKSLASH, OPEN, CLOSE, DOLLAR] = [92, 123, 125, 36];

/**
 * The closed `\boxed{...}` of a text that hold no other, braces matched; `\{` and `\}` are letters, not groups. The
 * form `\boxed 5$` is read up to the dollar sign. A box that never closes does not count: an answer must be complete.
 * One pass over the text, whatever it holds.
 */
export function closedBoxes(text: string): Box[] {
  const boxes: Box[] = [];
  if (!text.includes("\\boxed")) return boxes;
  /**
   * Groups that are open, and those of them that are boxes: where box and content begin, and how deep. Only boxes are
   * kept, for a text may open a million groups.
   */
  let depth = 0;
  const open: { start: number; content: number; depth: number }[] = [];
  /** A `\boxed ` without braces that waits for its dollar sign. */
  let bare: { start: number; content: number } | undefined;
  const close = (box: { start: number; content: number }, at: number, end: number) => {
    if ((boxes.at(-1)?.start ?? -1) < box.start)
      boxes.push({ content: text.slice(box.content, at), start: box.start, end });
  };
  let at = 0;
  while (at < text.length) {
    const character = text.charCodeAt(at);
    if (character === BACKSLASH) {
      if (text.startsWith("boxed", at + 1)) {
        const afterName = at + 1 + "boxed".length;
        let content = afterName;
        while (text[content] === " ") content += 1;
        if (text[content] === "{") open.push({ start: at, content: ++content, depth: ++depth });
        else if (content > afterName) bare = { start: at, content };
        at = content;
      } else {
        // Two backslashes are one line break, unless a box begins at the second.
        at += text[at + 1] === "\\" && text.startsWith("boxed", at + 2) ? 1 : 2;
      }
      continue;
    }
    if (character === OPEN) {
      depth++;
    } else if (character === CLOSE && depth > 0) {
      const box = open.at(-1);
      if (box?.depth === depth) {
        open.pop();
        close(box, at, at + 1);
      }
      depth--;
    } else if (character === DOLLAR && bare !== undefined) {
      close(bare, at, at);
      bare = undefined;
    }
    at += 1;
  }
  return boxes;
}

/**
 * The content of the last closed box, see {@link closedBoxes}.
 * @returns undefined when there is no closed box; the content as written, possibly empty, otherwise.
 */
export function extractBoxed(text: string): string | undefined {
  return closedBoxes(text).at(-1)?.content;
}

/** How often `\boxed` is written, closed or not. */
export function countBoxed(text: string): number {
  return text.split("\\boxed").length - 1;
}
