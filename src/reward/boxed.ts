/** A closed `\boxed{...}`: its content as written, and the text's part that it takes up. */
export interface Box {
  readonly content: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The closed `\boxed{...}` of a text that hold no other, braces matched; `\{` and `\}` are letters, not groups. The form `\boxed 5$` is read up to
 * the dollar sign. A box that never closes does not count: an answer must be complete. One pass over the text, whatever it holds.
 */
export function closedBoxes(text: string): Box[] {
  const boxes: Box[] = [];
  /** Open groups: where a box and its content begin; undefined for a group that is no box. */
  const open: ({ start: number; content: number } | undefined)[] = [];
  /** A `\boxed ` without braces that waits for its dollar sign. */
  let bare: { start: number; content: number } | undefined;
  const close = (box: { start: number; content: number }, at: number, end: number) => {
    if ((boxes.at(-1)?.start ?? -1) < box.start)
      boxes.push({ content: text.slice(box.content, at), start: box.start, end });
  };
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === "\\") {
      if (text.startsWith("boxed", at + 1)) {
        const afterName = at + 1 + "boxed".length;
        let content = afterName;
        while (text[content] === " ") content += 1;
        if (text[content] === "{") open.push({ start: at, content: ++content });
        else if (content > afterName) bare = { start: at, content };
        at = content;
      } else {
        // Two backslashes are one line break, unless a box begins at the second.
        at += text[at + 1] === "\\" && text.startsWith("boxed", at + 2) ? 1 : 2;
      }
      continue;
    }
    if (character === "{") {
      open.push(undefined);
    } else if (character === "}") {
      const box = open.pop();
      if (box !== undefined) close(box, at, at + 1);
    } else if (character === "$" && bare !== undefined) {
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
