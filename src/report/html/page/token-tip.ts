/** What is known of the token under the pointer or the keyboard's mark: log-prob, probability, advantage. */
import { at } from "../../../base/must";
import { element, visible } from "../../../web/elements";
import { fixed } from "../../../web/format";
import type { Rollout } from "../run-data";

const GAP = 8;

export class TokenTip {
  readonly #tip: HTMLElement;
  readonly #spoken: HTMLElement;
  readonly #rolloutOf: (card: Element) => Rollout | undefined;
  #marked: HTMLElement | undefined;

  /**
   * @param list the element that holds the cards
   * @param spoken is read out by screen readers when it changes
   * @param rolloutOf the rollout that a card shows
   */
  constructor(
    list: HTMLElement,
    tip: HTMLElement,
    spoken: HTMLElement,
    rolloutOf: (card: Element) => Rollout | undefined,
  ) {
    this.#tip = tip;
    this.#spoken = spoken;
    this.#rolloutOf = rolloutOf;
    list.addEventListener("pointerover", (event) => this.#mark(tokenAt(event.target)));
    list.addEventListener("pointerdown", (event) => this.#mark(tokenAt(event.target)));
    list.addEventListener("pointerleave", () => this.#mark(undefined));
    list.addEventListener("focusout", () => this.#mark(undefined));
    list.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("scroll", () => this.#place(), { passive: true });
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#mark(undefined);
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const box = event.target;
    if (move === undefined || !(box instanceof HTMLElement) || !box.matches("pre[tabindex]")) return;
    const tokens = [...box.querySelectorAll<HTMLElement>(".token")];
    const from = this.#marked === undefined ? -1 : tokens.indexOf(this.#marked);
    const to = from < 0 ? (move > 0 ? 0 : tokens.length - 1) : Math.min(tokens.length - 1, Math.max(0, from + move));
    event.preventDefault();
    this.#mark(tokens[to]);
    this.#spoken.textContent = [...this.#tip.children].map((row) => row.textContent).join(", ");
  }

  #mark(token: HTMLElement | undefined): void {
    if (token === this.#marked) return;
    this.#marked?.classList.remove("marked");
    this.#marked = token;
    const card = token?.closest(".rollout") ?? undefined;
    const rollout = card === undefined ? undefined : this.#rolloutOf(card);
    this.#tip.hidden = rollout === undefined;
    if (token === undefined || rollout === undefined) return;
    token.classList.add("marked");
    this.#tip.replaceChildren(...rows(rollout, Number(token.dataset.index)));
    this.#place();
  }

  #place(): void {
    if (this.#marked === undefined || this.#tip.hidden) return;
    // Of a token on several lines the first, of an empty one its place.
    const box = this.#marked.getClientRects()[0] ?? this.#marked.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.#tip;
    const left = Math.min(Math.max(GAP, box.left), document.documentElement.clientWidth - width - GAP);
    const above = box.top - height - GAP;
    this.#tip.style.left = `${Math.max(GAP, left)}px`;
    this.#tip.style.top = `${above < GAP ? box.bottom + GAP : above}px`;
  }
}

function tokenAt(target: EventTarget | null): HTMLElement | undefined {
  return target instanceof Element ? (target.closest<HTMLElement>(".token") ?? undefined) : undefined;
}

function rows({ tokens, ids, mask, logprobs, advantage }: Rollout, index: number): HTMLElement[] {
  const text = tokens === null ? "" : at(tokens, index);
  const head = element(
    "p",
    "tip-head",
    ...visible(JSON.stringify(text)),
    element("span", "", `id ${at(ids, index)}, place ${index}`),
  );
  if (mask[index] !== "1") return [head, element("p", "", "observation: mask 0, no log-prob, not trained on")];
  const logprob = at(logprobs, index);
  return [
    head,
    fact("log-prob", fixed(logprob, logprob > -0.01 ? 5 : 3)),
    fact("probability", `${(100 * Math.exp(logprob)).toPrecision(3)} %`),
    fact("advantage", advantage === null ? "none: the group was filtered out" : fixed(advantage, 3)),
  ];
}

function fact(label: string, value: string): HTMLElement {
  return element("p", "", label, element("b", "", value));
}
