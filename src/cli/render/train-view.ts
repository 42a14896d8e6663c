import { at } from "../../base/must";
import type { Phase, PhaseDetail, TrainEvents, TrainPlan, TrainSummary, Transcript } from "../../session/events";
import type { MetricsRow } from "../../session/metrics";
import type { CliIo, Output } from "../io";
import { bar } from "./charts";
import { Curves } from "./curves";
import { Screen } from "./screen";
import { Style } from "./style";
import { summaryLines } from "./summary";
import { duration, figure, percent, plainText, shorten, wrapWords } from "./text";
import { transcriptLines } from "./transcript";

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const REDRAW_MS = 120;
/** Off a terminal a silence of this many seconds is broken by a line that says what is being waited for. */
const SILENCE_SECONDS = 15;
/** Steps that the time per step is averaged over. */
const ETA_STEPS = 10;
/** The table's head is repeated after this many rows. */
const HEAD_ROWS = 20;
/** Columns of the widest bar of the table, of the narrowest, and of all that stands beside its two bars. */
const BAR = { most: 12, least: 4, rest: 70 } as const;

/** Shows a run to a person: a table that grows by a row per step, samples between its rows, a live status below. */
export class TrainView implements TrainEvents {
  readonly #screen: Screen;
  readonly #style: Style;
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #curves = new Curves();
  readonly #seconds: number[] = [];
  #plan: TrainPlan | undefined;
  #phase: Phase = "setup";
  #detail: PhaseDetail = { step: 0 };
  #phaseSince: number;
  /** Since when it waits for what `detail.waitingFor` names; a call that has ended is another wait. */
  #waitingSince: number;
  #lastPrint: number;
  #frame = 0;
  #closed = false;
  #rows = 0;
  /** The row of `detail.step` is out, and no phase of the next step has begun. */
  #stepDone = false;

  /** @param now seconds on any clock that only goes forward */
  constructor(output: Output, env: CliIo["env"], now: () => number = () => performance.now() / 1000) {
    this.#screen = new Screen(output);
    this.#style = new Style(output, env);
    this.#now = now;
    this.#phaseSince = now();
    this.#waitingSince = now();
    this.#lastPrint = now();
    this.#timer = setInterval(() => this.#tick(), output.isTerminal ? REDRAW_MS : 1000);
    this.#timer.unref();
  }

  onPlan(plan: TrainPlan): void {
    this.#plan = plan;
    const style = this.#style;
    const resumed = plan.firstStep > 0 ? `, going on after step ${plan.firstStep}` : "";
    const row = (name: string, value: string) =>
      this.#indented(13, plainText(value)).map(
        (line, i) => `  ${style.paint("dim", (i === 0 ? name : "").padEnd(10))} ${line}`,
      );
    this.#print(
      style.paint("bold", `zerotir ${plan.command}`),
      ...row("model", `${plan.model}, ${figure(plan.parameters)} parameters`),
      ...row("adapter", plan.adapter),
      ...row("data", plan.dataset),
      ...row("steps", `${plan.maxSteps} of ${plan.batch}${resumed}`),
      ...row("folder", plan.runFolder),
      ...(plan.notes ?? []).flatMap((note) => row("", note)),
      "",
    );
  }

  onPhase(phase: Phase, detail: PhaseDetail): void {
    if (phase !== this.#phase || detail.step !== this.#detail.step) this.#phaseSince = this.#now();
    if (phase !== this.#phase || detail.waitingFor !== this.#detail.waitingFor) this.#waitingSince = this.#now();
    if (detail.step !== this.#detail.step) this.#stepDone = false;
    this.#phase = phase;
    this.#detail = detail;
    if (this.#isOpeningGpu() && this.#screen.isTerminal) {
      this.#screen.setStatus();
      this.#print(this.#style.paint("dim", "  opening the GPU"));
    }
    this.#drawStatus();
  }

  /** Dawn then writes warnings of its own to the terminal, which would tear a live status. */
  #isOpeningGpu(): boolean {
    return this.#phase === "setup" && this.#detail.waitingFor === "the GPU";
  }

  onStep(row: MetricsRow): void {
    this.#curves.add(row);
    if (typeof row.step_time === "number") this.#seconds.push(row.step_time);
    this.#detail = { step: row.step };
    this.#stepDone = true;
    this.#print(...(this.#screen.isTerminal ? this.#tableRow(row) : [this.#logLine(row)]));
  }

  onSample(sample: Transcript): void {
    this.#print(...transcriptLines(sample, this.#style, this.#screen.columns()));
  }

  onCheckpoint({ path }: { readonly step: number; readonly path: string }): void {
    this.#print(this.#style.paint("dim", `  saved ${plainText(path)}`));
  }

  onNotice(text: string): void {
    const lines = this.#indented(7, plainText(text));
    this.#print(...lines.map((line, i) => `  ${i === 0 ? this.#style.paint("yellow", "note") : "    "} ${line}`));
  }

  onFinish(summary: TrainSummary): void {
    this.close();
    this.#print(...summaryLines(summary, this.#style));
  }

  /** Stops the clock and takes the status away; what was printed stays. */
  close(): void {
    clearInterval(this.#timer);
    this.#closed = true;
    this.#screen.setStatus();
  }

  /** A text on lines that leave room for `margin` columns; off a terminal it stays on one. */
  #indented(margin: number, text: string): string[] {
    return this.#screen.isTerminal ? wrapWords(text, this.#screen.columns() - margin) : [text];
  }

  #print(...lines: readonly string[]): void {
    this.#screen.print(...lines);
    this.#lastPrint = this.#now();
  }

  #tick(): void {
    this.#frame++;
    if (this.#screen.isTerminal) this.#drawStatus();
    else if (!this.#closed && this.#now() - this.#lastPrint >= SILENCE_SECONDS)
      this.#print(`  ... ${[...this.#progress(), ...this.#doing()].join(", ")}`);
  }

  #tableRow(row: MetricsRow): string[] {
    const style = this.#style;
    const barWidth = Math.max(BAR.least, Math.min(BAR.most, Math.floor((this.#screen.columns() - BAR.rest) / 2)));
    const cell = (value: number | null | undefined, width: number) => figure(value).padStart(width);
    const share = (value: number | null | undefined, colour: "green" | "cyan") =>
      `${style.paint(colour, bar(value ?? 0, barWidth))} ${percent(value).padStart(6)}`;
    const time = duration(row.step_time ?? Number.NaN).padStart(9);
    const speed = cell(row["perf/throughput"], 10);
    if (row["rollout/rule_rewards"] === undefined) {
      const head = "   step      loss  grad norm    learning rate  tokens/s      time";
      const line = `${String(row.step).padStart(7)}${cell(row.loss, 10)}${cell(row.grad_norm, 11)}${cell(row.learning_rate, 17)}${speed} ${time}`;
      return [...this.#head(head), line];
    }
    const head = `   step  ${"accuracy".padEnd(barWidth + 7)}  ${"code ratio".padEnd(barWidth + 7)}  reward  entropy  length  tokens/s      time`;
    const line =
      `${String(row.step).padStart(7)}  ${share(row["rollout/rule_rewards"], "green")}  ${share(row["rollout/code_rewards"], "cyan")}` +
      `${cell(row.reward, 8)}${cell(row.entropy, 9)}${cell(row["completions/mean_length"], 8)}${speed} ${time}`;
    return [...this.#head(head), line];
  }

  #head(text: string): string[] {
    return this.#rows++ % HEAD_ROWS === 0 ? [this.#style.paint("dim", text)] : [];
  }

  #logLine(row: MetricsRow): string {
    const of = this.#plan === undefined ? "" : `/${this.#plan.maxSteps}`;
    const parts = [`step ${row.step}${of}`];
    const add = (name: string, value: number | null | undefined, words: (value: number) => string) => {
      if (typeof value === "number") parts.push(`${name}${words(value)}`);
    };
    add("accuracy ", row["rollout/rule_rewards"], percent);
    add("code ratio ", row["rollout/code_rewards"], percent);
    add("reward ", row.reward, figure);
    if (row["rollout/rule_rewards"] === undefined) add("loss ", row.loss, figure);
    add("entropy ", row.entropy, figure);
    add("length ", row["completions/mean_length"], figure);
    add("", row["perf/throughput"], (speed) => `${figure(speed)} tokens/s`);
    add("", row.step_time, duration);
    const eta = this.#eta();
    if (eta !== undefined) parts.push(`${eta} left`);
    return parts.join("  ");
  }

  /** Time to the end at the pace of the last steps; undefined before the first step and after the last. */
  #eta(): string | undefined {
    const last = this.#seconds.slice(-ETA_STEPS);
    const left = (this.#plan?.maxSteps ?? 0) - this.#detail.step + (this.#stepDone ? 0 : 1);
    if (last.length === 0 || left <= 0) return undefined;
    return duration((left * last.reduce((sum, value) => sum + value, 0)) / last.length);
  }

  /** How far the run is. */
  #progress(): string[] {
    const [detail, plan] = [this.#detail, this.#plan];
    const parts = [detail.step > 0 && plan ? `step ${detail.step} of ${plan.maxSteps}` : "before the first step"];
    const eta = this.#eta();
    if (eta !== undefined) parts.push(`${eta} left`);
    if (detail.tokensPerSecond !== undefined) parts.push(`${figure(detail.tokensPerSecond)} tokens/s`);
    return parts;
  }

  /** What it is doing. */
  #doing(): string[] {
    const { done, total, unit, waitingFor } = this.#detail;
    const counted = done === undefined ? "" : ` ${done}${total === undefined ? "" : `/${total}`}`;
    const phase = `${this.#phase}${counted}${unit === undefined || counted === "" ? "" : ` ${unit}`}`;
    if (waitingFor === undefined) return [phase, duration(this.#now() - this.#phaseSince)];
    return [phase, `waiting for ${plainText(waitingFor)}, ${duration(this.#now() - this.#waitingSince)}`];
  }

  #drawStatus(): void {
    if (!this.#screen.isTerminal || this.#closed || this.#isOpeningGpu()) return;
    const columns = this.#screen.columns();
    const style = this.#style;
    const spinner = style.paint("magenta", at(SPINNER, this.#frame % SPINNER.length));
    const line = (parts: readonly string[]) => shorten(parts.join(" · "), columns - 4);
    const lines = [
      "",
      ...this.#curves.lines(columns, style),
      `  ${spinner} ${line(this.#progress())}`,
      `    ${line(this.#doing())}`,
    ];
    this.#screen.setStatus(...lines);
  }
}
