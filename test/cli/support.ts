import type { CliIo, Output } from "../../src/cli/io";
import type { TrainEvents, TrainSummary, Transcript } from "../../src/session/events";

/** An output that keeps what is written. */
export class Capture implements Output {
  text = "";
  readonly isTerminal: boolean;
  readonly #width: number;

  constructor(isTerminal = false, width = 100) {
    this.isTerminal = isTerminal;
    this.#width = width;
  }

  write(text: string): void {
    this.text += text;
  }

  columns(): number {
    return this.#width;
  }

  lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

const ESCAPE = "\u001b";
const TERMINAL_TOKENS = new RegExp(`${ESCAPE}\\[(\\d+)A|${ESCAPE}\\[(\\d+)m|${ESCAPE}\\[J|[\\s\\S]`, "gu");

/** What a terminal of this width shows after all was written: knows what Screen uses, and fails on anything else. */
export function terminalScreen(text: string, columns: number): string[] {
  const rows: string[] = [""];
  let [row, column] = [0, 0];
  for (const [token, up, colour] of text.matchAll(TERMINAL_TOKENS)) {
    if (colour !== undefined) continue;
    if (up !== undefined) row = Math.max(0, row - Number(up));
    else if (token === "\u001b[J") {
      rows.length = row + 1;
      rows[row] = (rows[row] ?? "").slice(0, column);
    } else if (token === "\r") column = 0;
    else if (token === "\n") [row, column] = [row + 1, 0];
    else if (token === "\u001b") throw new Error("an escape sequence that the terminal does not know");
    else {
      if (column === columns) [row, column] = [row + 1, 0];
      rows[row] = (rows[row] ?? "").slice(0, column) + token;
      column++;
    }
    while (rows.length <= row) rows.push("");
  }
  return rows.map((line) => line.trimEnd());
}

export function testIo(
  isTerminal = false,
  env: CliIo["env"] = {},
): CliIo & { stdout: Capture; stderr: Capture; stop: () => void } {
  const controller = new AbortController();
  return {
    stdout: new Capture(isTerminal),
    stderr: new Capture(isTerminal),
    env,
    signal: controller.signal,
    stop: () => controller.abort(),
  };
}

export const hostileTranscript: Transcript = {
  step: 5,
  prompt: "User: 47*86+5\nAssistant:",
  answer: "4047",
  reward: 1,
  finishReason: "stop",
  modelTokens: 31,
  segments: [
    { kind: "text", text: "\n```python\n" },
    { kind: "code", text: "print(47*86+5)\n```" },
    { kind: "observation", text: "\n```output\n\u001b[2J\u001b]0;owned\u0007\u009b31m4047\u202e\n```\n\n\n" },
    { kind: "text", text: "\\boxed{4047}" },
  ],
};

/** The events of a run of `steps` steps that goes well. */
export function playRun(
  events: TrainEvents,
  steps: number,
  outcome: TrainSummary["outcome"] = "finished",
): TrainSummary {
  events.onPlan({
    command: "train",
    model: "nano-base",
    parameters: 206_112,
    adapter: "llvmpipe (LLVM 19.1.7, 256 bits)",
    dataset: "nano",
    firstStep: 0,
    maxSteps: steps,
    batch: "16 prompts x 8 trajectories",
    runFolder: "runs/seven",
  });
  events.onNotice("no hardware adapter: Mesa's lavapipe computes on the CPU");
  for (let step = 1; step <= steps; step++) {
    for (let done = 0; done <= 128; done += 64)
      events.onPhase("rollout", {
        step,
        done,
        total: 128,
        unit: "trajectories",
        tokensPerSecond: 1840,
        waitingFor: "Python (3 calls)",
      });
    events.onPhase("update", { step });
    const progress = 1 / (1 + Math.exp(4 - (10 * step) / steps));
    events.onStep({
      step,
      reward: 0.2 + 0.78 * progress,
      "rollout/rule_rewards": 0.2 + 0.78 * progress,
      "rollout/code_rewards": 0.15 + 0.85 * progress,
      entropy: 1.1 - 0.9 * progress,
      "completions/mean_length": 30.25,
      "perf/throughput": 1843.2,
      step_time: 6.25,
      loss: step === 2 ? Number.NaN : 0,
    });
    if (step === 5) events.onSample(hostileTranscript);
    if (step === steps) events.onCheckpoint({ step, path: `runs/seven/checkpoints/step_0000${step}` });
  }
  const summary: TrainSummary = {
    outcome,
    step: steps,
    seconds: 251.2,
    table: [
      { name: "accuracy, greedy", before: 0.1875, after: 0.984375, unit: "share" },
      { name: "accuracy, sampled", before: 0.203, after: 0.98, unit: "share" },
      { name: "code ratio", before: 0.15, after: 1, unit: "share" },
      { name: "tokens per answer", before: 21.5, after: 31.2, unit: "number" },
    ],
    runFolder: "runs/seven",
    checkpoint: `runs/seven/checkpoints/step_0000${steps}`,
    next: [
      { command: 'zerotir sample --preset nano --model-name-or-path runs/seven "47*86+5"', why: "see it use Python" },
    ],
  };
  events.onFinish(summary);
  return summary;
}
