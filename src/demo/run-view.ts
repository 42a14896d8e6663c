import { at, must } from "../base/must";
import { mean } from "../base/statistics";
import type { Phase, PhaseDetail, TrainEvents, TrainSummary } from "../session/events";
import type { MetricsRow } from "../session/metrics";
import { Chart, type ChartContent, StepCursor } from "../web/chart";
import { byId, element, showText, within } from "../web/elements";
import { duration, figure, percent } from "../web/format";
import { transcriptCard } from "./transcript";

/** Older samples are taken off the page. */
const MOST_SAMPLES = 12;
/** Steps whose mean time the time left is told from. */
const ETA_STEPS = 5;

const PHASES: Record<Phase, string> = {
  setup: "Setting up",
  evaluate: "Measuring on held-out problems",
  rollout: "Sampling answers",
  reward: "Grading",
  update: "Updating the model",
  save: "Saving",
};

/** The curves, and the metric that each shows. */
const CURVES = [
  {
    id: "chart-accuracy",
    metric: "rollout/rule_rewards",
    title: "Accuracy",
    about: "Share of answers that are right: the only thing rewarded",
    isCode: false,
  },
  {
    id: "chart-code",
    metric: "rollout/code_rewards",
    title: "Code ratio",
    about: "Share of answers with a Python block: never rewarded",
    isCode: true,
  },
] as const;

/** Draws what training tells: progress, curves, samples. */
export class RunView implements TrainEvents {
  readonly #phase = byId("phase", HTMLElement);
  readonly #step = byId("fact-step", HTMLElement);
  readonly #speed = byId("fact-speed", HTMLElement);
  readonly #eta = byId("fact-eta", HTMLElement);
  readonly #adapter = byId("fact-adapter", HTMLElement);
  readonly #bar = byId("bar", HTMLElement);
  readonly #barFill = byId("bar-fill", HTMLElement);
  readonly #notice = byId("notice", HTMLElement);
  readonly #error = byId("error", HTMLElement);
  readonly #samples = byId("samples", HTMLElement);
  readonly #summary = byId("summary", HTMLElement);
  readonly #charts: readonly Chart[];
  /** Where the run can go on; null: at its beginning. */
  checkpoint: string | null = null;
  #maxSteps = 0;
  /** Of the steps done so far. */
  #rows: MetricsRow[] = [];
  /** Figures from before the first step; those of a continuation are no longer from before. */
  #before: TrainSummary["table"] | undefined;

  constructor() {
    const cursor = new StepCursor();
    this.#charts = this.#curves().map((content) => new Chart(content, cursor));
    for (const [i, { figure }] of this.#charts.entries()) figure.id = at(CURVES, i).id;
    byId("charts", HTMLElement).replaceChildren(...this.#charts.map(({ figure }) => figure));
  }

  /** Clears what an earlier run left. */
  reset(maxSteps: number): void {
    this.#before = undefined;
    this.checkpoint = null;
    this.#samples.replaceChildren(element("p", "empty", "Samples appear after the first step."));
    this.#summary.hidden = true;
    for (const fact of [this.#speed, this.#eta]) fact.textContent = "–";
    showText(this.#notice, "");
    this.showError("");
    this.#goOn(0, maxSteps);
  }

  onPlan({ firstStep, maxSteps }: Parameters<TrainEvents["onPlan"]>[0]): void {
    this.#goOn(firstStep, maxSteps);
  }

  onPhase(phase: Phase, detail: PhaseDetail): void {
    const { done, total, unit, waitingFor, tokensPerSecond } = detail;
    const count = total === undefined ? "" : done === undefined ? `${total} ${unit}` : `${done} of ${total} ${unit}`;
    const parts = [PHASES[phase], count, waitingFor === undefined ? "" : `waiting for ${waitingFor}`];
    this.showPhase(parts.filter((part) => part !== "").join(" · "));
    if (tokensPerSecond !== undefined) this.#speed.textContent = figure(tokensPerSecond);
  }

  onStep(row: MetricsRow): void {
    this.#rows.push(row);
    this.#speed.textContent = figure(row["perf/rollout_tokens_per_second"]);
    const recent = this.#rows.slice(-ETA_STEPS).map((each) => must(each.step_time, "step_time"));
    this.#eta.textContent = duration((this.#maxSteps - row.step) * mean(recent));
    this.#showStep(row.step, this.#maxSteps);
  }

  onSample(sample: Parameters<TrainEvents["onSample"]>[0]): void {
    this.#samples.querySelector(".empty")?.remove();
    this.#samples.prepend(transcriptCard(sample));
    while (this.#samples.childElementCount > MOST_SAMPLES) this.#samples.lastElementChild?.remove();
  }

  onCheckpoint({ path }: Parameters<TrainEvents["onCheckpoint"]>[0]): void {
    this.checkpoint = path;
  }

  onNotice(text: string): void {
    showText(this.#notice, text);
  }

  onFinish(summary: TrainSummary): void {
    this.#before ??= summary.table;
    const finished = summary.outcome === "finished";
    this.showPhase(
      finished ? `Finished ${summary.step} steps` : `Paused after step ${summary.step}; nothing finished is lost`,
    );
    this.#eta.textContent = finished ? "0 s" : "–";
    if (!finished) return;
    const before = this.#before;
    const rows = summary.table.map(({ name, after }, index) => {
      const cell = (value: number | null | undefined) => element("td", "", percent(value));
      return element("tr", "", element("th", "", name), cell(before[index]?.before), cell(after));
    });
    within(this.#summary, "tbody", HTMLElement).replaceChildren(...rows);
    this.#summary.hidden = summary.table.every(({ after }) => after === null);
  }

  showPhase(text: string): void {
    this.#phase.textContent = text;
  }

  showError(text: string): void {
    showText(this.#error, text);
  }

  showAdapter(name: string): void {
    this.#adapter.textContent = name;
  }

  /** Keeps the steps up to `firstStep`: what comes after is made anew. */
  #goOn(firstStep: number, maxSteps: number): void {
    this.#rows = this.#rows.filter(({ step }) => step <= firstStep);
    this.#showStep(firstStep, maxSteps);
  }

  #showStep(step: number, maxSteps: number): void {
    this.#maxSteps = maxSteps;
    this.#step.textContent = `${step} / ${maxSteps}`;
    this.#bar.setAttribute("aria-valuemax", String(maxSteps));
    this.#bar.setAttribute("aria-valuenow", String(step));
    this.#barFill.style.width = `${(100 * step) / Math.max(1, maxSteps)}%`;
    for (const [i, content] of this.#curves().entries()) at(this.#charts, i).show(content);
  }

  #curves(): ChartContent[] {
    const steps = this.#rows.map(({ step }) => step);
    return CURVES.map(({ title, about, isCode, metric }) => ({
      title,
      about,
      isCode,
      unit: "share",
      steps,
      reach: [1, this.#maxSteps],
      series: [{ name: "", values: this.#rows.map((row) => row[metric] ?? null) }],
      isSmooth: false,
    }));
  }
}
