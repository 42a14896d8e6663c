/** The rollouts viewer: which are loaded, which match the filter, which are on the page. */
import { reasonOf } from "../../../base/errors";
import { byId, element } from "../../../web/elements";
import { figure } from "../../../web/format";
import type { Rollout, RolloutStep } from "../run-data";
import { rolloutElement } from "./rollout";
import { TokenTip } from "./token-tip";

/** Cards added at a time. */
const PAGE = 12;
const LATEST = "latest";
const ALL = "all";

export class RolloutsView {
  readonly #load: (step: number) => Promise<readonly Rollout[]>;
  readonly #step = byId("filter-step", HTMLSelectElement);
  readonly #reward = byId("filter-reward", HTMLSelectElement);
  readonly #code = byId("filter-code", HTMLSelectElement);
  readonly #text = byId("filter-text", HTMLInputElement);
  readonly #count = byId("count", HTMLElement);
  readonly #list = byId("rollout-list", HTMLElement);
  readonly #more = byId("show-more", HTMLButtonElement);
  readonly #shown = new WeakMap<Element, Rollout>();
  #steps: readonly RolloutStep[] = [];
  #loaded: readonly Rollout[] = [];
  #matches: readonly Rollout[] = [];
  /** Counts what was asked for, so that a slow answer does not replace a later one. */
  #asked = 0;

  constructor(load: (step: number) => Promise<readonly Rollout[]>) {
    this.#load = load;
    new TokenTip(this.#list, byId("tip", HTMLElement), byId("spoken", HTMLElement), (card) => this.#shown.get(card));
    const form = byId("filter", HTMLFormElement);
    form.addEventListener("submit", (event) => event.preventDefault());
    this.#step.addEventListener("change", () => void this.#read());
    for (const control of [this.#reward, this.#code]) control.addEventListener("change", () => this.#filter());
    this.#text.addEventListener("input", () => this.#filter());
    this.#more.addEventListener("click", () => this.#append());
    byId("heat", HTMLInputElement).addEventListener("change", ({ target }) =>
      this.#list.classList.toggle("heat", target instanceof HTMLInputElement && target.checked),
    );
  }

  /** Takes the steps there are; reads the latest again unless somebody is in the middle of it. */
  async show(steps: readonly RolloutStep[]): Promise<void> {
    const before = this.#step.value || LATEST;
    const isNew = steps.at(-1)?.step !== this.#steps.at(-1)?.step || steps.length !== this.#steps.length;
    this.#steps = steps;
    const option = (value: string, label: string) => new Option(label, value, false, value === before);
    this.#step.replaceChildren(
      option(LATEST, `latest (${steps.at(-1)?.step ?? "none"})`),
      option(ALL, "all"),
      ...steps.map(({ step }) => option(String(step), String(step))),
    );
    const isBusy = this.#loaded.length > 0 && this.#list.matches(":hover, :focus-within");
    if (isNew && before === LATEST && !isBusy) await this.#read();
  }

  async #read(): Promise<void> {
    const turn = ++this.#asked;
    const value = this.#step.value;
    const wanted = value === ALL ? this.#steps : value === LATEST ? this.#steps.slice(-1) : [{ step: Number(value) }];
    const loaded: Rollout[] = [];
    try {
      for (const [place, { step }] of wanted.entries()) {
        if (place % 20 === 19) this.#count.textContent = `reading step ${step}`;
        loaded.push(...(await this.#load(step)));
        if (turn !== this.#asked) return;
      }
    } catch (error) {
      if (turn === this.#asked) this.#count.textContent = reasonOf(error);
      return;
    }
    this.#loaded = loaded;
    this.#filter();
  }

  #filter(): void {
    const text = this.#text.value.toLowerCase();
    const reward = this.#reward.value;
    const code = this.#code.value;
    this.#matches = this.#loaded.filter(
      (rollout) => rewardMatches(rollout, reward) && codeMatches(rollout, code) && textMatches(rollout, text),
    );
    this.#list.replaceChildren();
    this.#append();
  }

  #append(): void {
    const from = this.#list.childElementCount;
    for (const rollout of this.#matches.slice(from, from + PAGE)) {
      const card = rolloutElement(rollout);
      this.#shown.set(card, rollout);
      this.#list.append(card);
    }
    const shown = Math.min(this.#matches.length, from + PAGE);
    this.#more.hidden = shown === this.#matches.length;
    const rest = shown < this.#matches.length ? `; the first ${shown} are shown` : "";
    this.#count.textContent =
      this.#loaded.length === 0
        ? "No rollouts here."
        : `${figure(this.#matches.length)} of ${figure(this.#loaded.length)} match${rest}.`;
    if (this.#loaded.length > 0 && this.#matches.length === 0)
      this.#list.replaceChildren(element("p", "panel hint", "Nothing matches this filter."));
  }
}

function rewardMatches({ reward }: Rollout, wanted: string): boolean {
  if (wanted === "any") return true;
  return reward !== null && (wanted === "above" ? reward > 0 : reward <= 0);
}

function codeMatches({ tools }: Rollout, wanted: string): boolean {
  if (wanted === "any") return true;
  if (wanted === "failed") return tools.some(({ status }) => status !== "ok");
  return wanted === "ran" ? tools.length > 0 : tools.length === 0;
}

function textMatches({ prompt, text }: Rollout, wanted: string): boolean {
  return wanted === "" || prompt.toLowerCase().includes(wanted) || text.toLowerCase().includes(wanted);
}
