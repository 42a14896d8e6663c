/** Elements of a page, found and made. Texts stay texts: nothing that a model or its program wrote is read as HTML. */
import { must } from "../base/must";

/** An element of the page. @throws Error when it has none of this id and kind */
export function byId<E extends Element>(id: string, kind: abstract new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

/** The one element below `parent` that `selector` finds. @throws Error when there is none of this kind */
export function within<E extends Element>(parent: ParentNode, selector: string, kind: abstract new () => E): E {
  const found = parent.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${kind.name} ${selector}`);
  return found;
}

/** Shows a text, or hides the element when there is none. */
export function showText(target: HTMLElement, text: string): void {
  target.textContent = text;
  target.hidden = text === "";
}

/** A new element. Texts become text nodes, whatever they hold. */
export function element(tag: string, className: string, ...children: readonly (Node | string)[]): HTMLElement {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** A new SVG element with its attributes. */
export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: (Node | string)[]
): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** A table whose first column names the rows. Cells are texts. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  const cells = (row: readonly string[], tag: string) =>
    row.map((text, column) => {
      const cell = element(column === 0 ? "th" : tag, "", ...visible(text));
      if (tag === "th") cell.setAttribute("scope", "col");
      else if (column === 0) cell.setAttribute("scope", "row");
      return cell;
    });
  const made = element(
    "table",
    "",
    element("thead", "", element("tr", "", ...cells(head, "th"))),
    element("tbody", "", ...rows.map((row) => element("tr", "", ...cells(row, "td")))),
  );
  const frame = element("div", "panel scroll", made);
  frame.tabIndex = 0;
  return frame;
}

// Control, format (bidirectional, zero-width, tags), private-use and lone surrogate characters, and line separators.
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/**
 * Text as nodes in which every character that steers a terminal, turns the reading direction or cannot be seen stands
 * as its code in a box of its own, which no text can imitate.
 */
export function visible(text: string): (Node | string)[] {
  const nodes: (Node | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (match.index > end) nodes.push(text.slice(end, match.index));
    const code = must(match[0].codePointAt(0), "the code of a character");
    nodes.push(element("span", "unseen", code.toString(16).toUpperCase().padStart(2, "0")));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}
