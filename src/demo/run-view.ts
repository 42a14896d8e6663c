import type { Phase, PhaseDetail, TrainEvents, TrainSummary } from "../session/events";
import type { MetricsRow } from "../session/metrics";
import { percent, ShareChart } from "./charts";
import { byId, element, showText, within } from "./dom";
import { sampleCard } from "./sample-view";

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
  readonly #accuracy = new ShareChart(byId("chart-accuracy", HTMLElement), "Accuracy", "--accuracy");
  readonly #code = new ShareChart(byId("chart-code", HTMLElement), "Code ratio", "--code");
  readonly #times: number[] = [];
  /** Where the run can go on; null: at its beginning. */
  checkpoint: string | null = null;
  #maxSteps = 0;
  /** Figures from before the first step; those of a continuation are no longer from before. */
  #before: TrainSummary["table"] | undefined;

  /** Clears what an earlier run left. */
  reset(maxSteps: number): void {
    this.#before = undefined;
    this.checkpoint = null;
    this.#times.length = 0;
    for (const chart of [this.#accuracy, this.#code]) chart.continue(0, maxSteps);
    this.#samples.replaceChildren(element("p", "empty", "Samples appear after the first step."));
    this.#summary.hidden = true;
    for (const fact of [this.#speed, this.#eta]) fact.textContent = "–";
    showText(this.#notice, "");
    this.showError("");
    this.#showStep(0, maxSteps);
  }

  onPlan({ firstStep, maxSteps }: Parameters<TrainEvents["onPlan"]>[0]): void {
    for (const chart of [this.#accuracy, this.#code]) chart.continue(firstStep, maxSteps);
    this.#showStep(firstStep, maxSteps);
  }

  onPhase(phase: Phase, detail: PhaseDetail): void {
    const { done, total, unit, waitingFor, tokensPerSecond } = detail;
    const count = total === undefined ? "" : done === undefined ? `${total} ${unit}` : `${done} of ${total} ${unit}`;
    const parts = [PHASES[phase], count, waitingFor === undefined ? "" : `waiting for ${waitingFor}`];
    this.showPhase(parts.filter((part) => part !== "").join(" · "));
    if (tokensPerSecond !== undefined) this.#speed.textContent = figure(tokensPerSecond);
  }

  onStep(row: MetricsRow): void {
    this.#accuracy.add(row.step, row["rollout/rule_rewards"] ?? 0);
    this.#code.add(row.step, row["rollout/code_rewards"] ?? 0);
    this.#speed.textContent = figure(row["perf/rollout_tokens_per_second"] ?? 0);
    this.#times.push(row.step_time ?? 0);
    const recent = this.#times.slice(-ETA_STEPS);
    const perStep = recent.reduce((sum, seconds) => sum + seconds, 0) / recent.length;
    this.#eta.textContent = duration((this.#maxSteps - row.step) * perStep);
    this.#showStep(row.step, this.#maxSteps);
  }

  onSample(sample: Parameters<TrainEvents["onSample"]>[0]): void {
    this.#samples.querySelector(".empty")?.remove();
    this.#samples.prepend(sampleCard(sample));
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
      const cell = (value: number | null | undefined) =>
        element("td", "", typeof value === "number" ? percent(value) : "–");
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

  #showStep(step: number, maxSteps: number): void {
    this.#maxSteps = maxSteps;
    this.#step.textContent = `${step} / ${maxSteps}`;
    this.#bar.setAttribute("aria-valuemax", String(maxSteps));
    this.#bar.setAttribute("aria-valuenow", String(step));
    this.#barFill.style.width = `${(100 * step) / Math.max(1, maxSteps)}%`;
  }
}

function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
