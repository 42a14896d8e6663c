import type { Phase, PhaseDetail, TrainEvents, TrainPlan, TrainSummary, Transcript } from "../../session/events";
import type { MetricsRow } from "../../session/metrics";
import { jsonLine, type Output } from "../io";

/**
 * A run for a program: one JSON object per line, its kind in `event`. A step's line holds the figures of its row in
 * metrics.jsonl. A phase is reported when it begins, not at each bit of progress.
 */
export class JsonView implements TrainEvents {
  readonly #output: Output;
  #phase = "";

  constructor(output: Output) {
    this.#output = output;
  }

  onPlan(plan: TrainPlan): void {
    jsonLine(this.#output, { event: "plan", ...plan });
  }

  onPhase(phase: Phase, { step }: PhaseDetail): void {
    const key = `${phase} ${step}`;
    if (key === this.#phase) return;
    this.#phase = key;
    jsonLine(this.#output, { event: "phase", phase, step });
  }

  onStep(row: MetricsRow): void {
    jsonLine(this.#output, { event: "step", ...row });
  }

  onSample(sample: Transcript): void {
    jsonLine(this.#output, { event: "sample", ...sample });
  }

  onCheckpoint(checkpoint: { readonly step: number; readonly path: string }): void {
    jsonLine(this.#output, { event: "checkpoint", ...checkpoint });
  }

  onNotice(text: string): void {
    jsonLine(this.#output, { event: "notice", text });
  }

  onFinish(summary: TrainSummary): void {
    jsonLine(this.#output, { event: "finish", ...summary });
  }
}
