export { element } from "../report/html/page/dom";

/** An element of index.html. @throws Error when the page has none of this id and kind */
export function byId<E extends HTMLElement>(id: string, kind: abstract new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`);
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
