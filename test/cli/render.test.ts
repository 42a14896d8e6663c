import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { alignColumns, bar, sparkline } from "../../src/cli/render/charts";
import { Curves } from "../../src/cli/render/curves";
import { Screen } from "../../src/cli/render/screen";
import { Style, visibleWidth } from "../../src/cli/render/style";
import { duration, figure, percent, plainText, shorten } from "../../src/cli/render/text";
import { TrainView } from "../../src/cli/render/train-view";
import { transcriptLines } from "../../src/cli/render/transcript";
import { Capture, hostileTranscript, playRun, terminalScreen } from "./support";

const plain = new Style(new Capture(), {});

describe("plainText", () => {
  it.each([
    ["colours", "a\u001b[31mb\u001b[0m", "ab"],
    ["cursor movement and clearing", "\u001b[2J\u001b[1;1Hx\u001b[?25l", "x"],
    ["8-bit sequences", "\u009b31mx", "x"],
    ["titles and links", "\u001b]0;title\u0007x\u001b]8;;http://a\u001b\\y", "xy"],
    ["a string without its end, up to the line's end", "\u001b]0;never ends\nkept", "\nkept"],
    ["resets and charsets", "\u001bcx\u001b(0y", "xy"],
    ["an escape at the very end", "x\u001b", "x\\u{1b}"],
    ["controls", "a\u0000b\u0008c\u007f", "a\\u{0}b\\u{8}c\\u{7f}"],
    ["carriage returns", "safe\rEVIL\r\nx", "safe\nEVIL\nx"],
    ["bidirectional and invisible marks", "a\u202eb\u200bc\u2066", "a\\u{202e}b\\u{200b}c\\u{2066}"],
    ["lone surrogates", "\ud800x", "\\u{d800}x"],
    ["nothing in ordinary text", "é 日本 😀\tx\n", "é 日本 😀    x\n"],
  ])("takes out %s", (_, text, expected) => {
    expect(plainText(text)).toBe(expected);
    expect(plainText(plainText(text))).toBe(expected);
  });
});

describe("figures", () => {
  it("are short", () => {
    expect([0, 0.5, 1.23456, 1843.2, 206112, 5e-7, 494032768, null, Number.NaN].map(figure)).toEqual([
      "0",
      "0.5",
      "1.23",
      "1 843",
      "206 112",
      "5.00e-7",
      "494 032 768",
      "–",
      "–",
    ]);
    expect([0, 0.4375, 1, undefined].map(percent)).toEqual(["0.0%", "43.8%", "100.0%", "–"]);
    expect([0.04, 9.96, 59.4, 59.6, 100, 3599, 7500, Number.NaN].map(duration)).toEqual([
      "0.0 s",
      "10.0 s",
      "59 s",
      "1 min 00 s",
      "1 min 40 s",
      "59 min 59 s",
      "2 h 05 min",
      "–",
    ]);
    expect(shorten("abcdef", 4)).toBe("abc…");
  });

  it("become bars, curves and columns", () => {
    expect(bar(0.5, 4)).toBe("██  ");
    expect(bar(0.28, 4)).toBe("█▏  ");
    expect(bar(7, 4)).toBe("████");
    expect(sparkline([0, 0.5, 1], 10)).toBe("▁▅█");
    expect(sparkline([0, 0, 1, 1], 2)).toBe("▁█");
    expect(sparkline([], 5)).toBe("");
    expect(sparkline([0, Number.NaN, 1], 10)).toBe("▁ █");
    expect(bar(Number.NaN, 4)).toBe("    ");
    expect(
      alignColumns([
        ["a", "1"],
        ["bcd", "22"],
      ]),
    ).toEqual(["a      1", "bcd   22"]);
  });
});

describe("Style", () => {
  it("colours terminals only, and not where NO_COLOR is set", () => {
    expect(new Style(new Capture(true), {}).paint("red", "x")).toBe("\u001b[31mx\u001b[0m");
    expect(new Style(new Capture(true), { NO_COLOR: "" }).enabled).toBe(true);
    expect(new Style(new Capture(true), { NO_COLOR: "1" }).paint("red", "x")).toBe("x");
    expect(new Style(new Capture(false), {}).paint("red", "x")).toBe("x");
    expect(visibleWidth("\u001b[31mab\u001b[0m")).toBe(2);
  });
});

describe("Screen", () => {
  it("keeps printed lines and redraws the status below them, wrapped lines included", () => {
    const output = new Capture(true, 10);
    const screen = new Screen(output);
    screen.setStatus("status one", "0123456789abc");
    screen.print("first");
    screen.setStatus("two");
    screen.print("second");
    expect(terminalScreen(output.text, 10)).toEqual(["first", "second", "two", ""]);
    screen.setStatus();
    expect(terminalScreen(output.text, 10)).toEqual(["first", "second", ""]);
  });

  it("writes no status and no escape where there is no terminal", () => {
    const output = new Capture(false);
    const screen = new Screen(output);
    screen.setStatus("status");
    screen.print("line");
    expect(output.text).toBe("line\n");
  });
});

describe("transcriptLines", () => {
  it("says in the margin who wrote what, and lets nothing through that steers the terminal", () => {
    expect(transcriptLines(hostileTranscript, plain, 80)).toEqual([
      "  ┌ sample of step 5 · ✓ reward 1 · 31 tokens · answer 4047",
      "  │ prompt      User: 47*86+5",
      "  │             Assistant:",
      "  │ model       ```python",
      "  │ python      print(47*86+5)",
      "  │             ```",
      "  ┊ observation ```output",
      "  ┊             4047\\u{202e}",
      "  ┊             ```",
      "  │ model       \\boxed{4047}",
      "  └",
    ]);
  });

  it("wraps long lines and leaves out the middle of long samples", () => {
    const text = `${"x".repeat(100)}\n${"line\n".repeat(60)}end`;
    const lines = transcriptLines(
      { ...hostileTranscript, prompt: "p", segments: [{ kind: "text", text }], reward: 0 },
      plain,
      60,
    );
    expect(lines.length).toBe(27);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(60);
    expect(lines.some((line) => /… 41 lines left out/.test(line))).toBe(true);
    expect(lines[0]).toContain("✗ reward 0");
    expect(lines.at(-2)).toMatch(/end$/);
  });
});

describe("TrainView", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("leaves a table, samples and the summary on a terminal, and no status", () => {
    const output = new Capture(true, 110);
    playRun(new TrainView(output, {}, () => 0), 6);
    const shown = terminalScreen(output.text, 110);
    expect(shown.filter((line) => /^ {6}[1-6] {2}[█▏▎▍▌▋▊▉]/.test(line)).length).toBe(6);
    expect(shown.filter((line) => line.includes("code ratio           reward")).length).toBe(1);
    expect(shown).toContain("  accuracy, greedy     18.8%    98.4%   +79.7 points");
    expect(shown).toContain("  tokens per answer     21.5     31.2           +9.7");
    expect(shown.some((line) => line.includes("waiting for"))).toBe(false);
    expect(shown.some((line) => line.includes("4047\\u{202e}"))).toBe(true);
    const escapes = new RegExp(`${"\u001b"}\\[(?:\\d+[Am]|J)|\\r`, "g");
    expect(output.text.replace(escapes, "")).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it("keeps each row of the table on one line of 80 columns", () => {
    const output = new Capture(true, 80);
    playRun(new TrainView(output, { NO_COLOR: "1" }, () => 0), 3);
    const rows = terminalScreen(output.text, 80).filter((line) => /^ {6}[1-3] {2}|^ {3}step /.test(line));
    expect(rows.map((line) => [...line].length)).toEqual([80, 80, 80, 80]);
  });

  it("shows phase, progress, speed, what is waited for, time left and the curves while it runs", () => {
    const output = new Capture(true, 120);
    let time = 0;
    const view = new TrainView(output, { NO_COLOR: "1" }, () => time);
    view.onPlan({
      command: "train",
      model: "m",
      parameters: 1,
      adapter: "a",
      dataset: "d",
      firstStep: 0,
      maxSteps: 10,
      batch: "b",
      runFolder: "r",
    });
    view.onStep({ step: 1, "rollout/rule_rewards": 0.25, "rollout/code_rewards": 0, step_time: 6 });
    view.onStep({ step: 2, "rollout/rule_rewards": 0.5, "rollout/code_rewards": 1, step_time: 4 });
    view.onPhase("rollout", {
      step: 3,
      done: 83,
      total: 128,
      unit: "trajectories",
      tokensPerSecond: 1840,
      waitingFor: "Python (3 calls)",
    });
    time = 2.1;
    vi.advanceTimersByTime(500);
    const shown = terminalScreen(output.text, 120);
    expect(shown.at(-4)?.replace(/ +/g, " ")).toBe(" accuracy ▃▅ 50.0% code ratio ▁█ 100.0%");
    expect(shown.at(-3)).toMatch(/^ {2}\S step 3 of 10 · 40 s left · 1 840 tokens\/s$/);
    expect(shown.at(-2)).toBe("    rollout 83/128 trajectories · waiting for Python (3 calls), 2.1 s");
    view.close();
    expect(terminalScreen(output.text, 120).some((line) => line.includes("waiting"))).toBe(false);
    const before = output.text;
    vi.advanceTimersByTime(5000);
    expect(output.text).toBe(before);
  });

  it("counts the seconds of the wait that is named, and of the phase where none is", () => {
    const output = new Capture(true, 80);
    let time = 0;
    const view = new TrainView(output, { NO_COLOR: "1" }, () => time);
    const doing = () => terminalScreen(output.text, 80).at(-2)?.trim();
    const rollout = (waitingFor: string) => view.onPhase("rollout", { step: 1, waitingFor });
    rollout("the GPU");
    time = 3;
    rollout("Python (2 calls)");
    time = 100;
    rollout("Python (2 calls)");
    expect(doing()).toBe("rollout · waiting for Python (2 calls), 1 min 37 s");
    rollout("Python (1 call)");
    expect(doing()).toBe("rollout · waiting for Python (1 call), 0.0 s");
    view.onPhase("update", { step: 1 });
    time = 104;
    view.onPhase("update", { step: 1, done: 1, total: 2, unit: "micro-batches" });
    expect(doing()).toBe("update 1/2 micro-batches · 4.0 s");
    view.close();
  });

  it("leaves the terminal to Dawn's own warnings while the GPU is opened", () => {
    const output = new Capture(true, 80);
    const view = new TrainView(output, { NO_COLOR: "1" }, () => 0);
    vi.advanceTimersByTime(500);
    view.onPhase("setup", { step: 0, waitingFor: "the GPU" });
    vi.advanceTimersByTime(500);
    output.write("Warning: one\nWarning: two\n");
    vi.advanceTimersByTime(500);
    view.onPhase("setup", { step: 0, waitingFor: "the model" });
    const shown = terminalScreen(output.text, 80);
    expect(shown.slice(0, 4)).toEqual(["  opening the GPU", "Warning: one", "Warning: two", ""]);
    expect(shown.at(-2)).toBe("    setup · waiting for the model, 0.0 s");
    view.close();
  });

  it("breaks long remarks between words on a terminal, below their beginning, and nowhere else", () => {
    const text = `${"word ".repeat(30)}/a/path/${"x".repeat(90)}`;
    const output = new Capture(true, 80);
    const view = new TrainView(output, { NO_COLOR: "1" }, () => 0);
    view.onNotice(text);
    view.close();
    const shown = output.lines().filter((line) => line.includes("word") || line.includes("path"));
    expect(shown.map((line) => line.slice(0, 8))).toEqual(["  note w", "       w", "       w", "       /"]);
    expect(Math.max(...shown.slice(0, 3).map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(shown.map((line) => line.slice(7)).join(" ")).toBe(text);
    const plainOutput = new Capture(false);
    const plainView = new TrainView(plainOutput, {}, () => 0);
    plainView.onNotice(text);
    plainView.close();
    expect(plainOutput.lines()).toEqual([`  note ${text}`]);
  });

  it("writes one line per step off a terminal, and breaks a long silence", () => {
    const output = new Capture(false);
    let time = 0;
    const view = new TrainView(output, {}, () => time);
    view.onPhase("rollout", { step: 1, done: 2, total: 4, unit: "trajectories", waitingFor: "Python (1 call)" });
    for (time = 1; time <= 31; time++) vi.advanceTimersByTime(1000);
    expect(output.lines()).toEqual([
      "  ... before the first step, rollout 2/4 trajectories, waiting for Python (1 call), 15 s",
      "  ... before the first step, rollout 2/4 trajectories, waiting for Python (1 call), 30 s",
    ]);
    playRun(view, 6);
    expect(output.lines()).toContain(
      "step 2/6  accuracy 46.5%  code ratio 43.8%  reward 0.465  entropy 0.795  length 30.3  1 843 tokens/s  6.3 s  25 s left",
    );
    expect(output.text).not.toContain("\u001b");
  });

  it("shows the loss of a run without rewards", () => {
    const output = new Capture(true, 110);
    const view = new TrainView(output, { NO_COLOR: "1" }, () => 0);
    view.onStep({
      step: 3,
      loss: 1.25,
      grad_norm: 0.5,
      learning_rate: 0.003,
      "perf/throughput": 20000,
      step_time: 0.5,
    });
    view.close();
    expect(terminalScreen(output.text, 110).slice(0, 2)).toEqual([
      "   step      loss  grad norm    learning rate  tokens/s      time",
      "      3      1.25        0.5            0.003    20 000     0.5 s",
    ]);
  });
});

describe("curves", () => {
  const curves = new Curves();
  for (const i of [0, 1, 2, 3])
    curves.add({
      step: i + 1,
      "rollout/rule_rewards": i / 4,
      "rollout/code_rewards": 0.5,
      reward: -2 + i,
      entropy: 0.7 - i / 10,
      "perf/throughput": 1000,
    });
  const style = new Style(new Capture(false), {});

  it("line up, two in a row at 80 columns and three at 120", () => {
    expect(curves.lines(80, style)).toEqual([
      `  accuracy   ▁▃▅▇${" ".repeat(13)}   75.0%   code ratio ▅▅▅▅${" ".repeat(13)}   50.0%`,
      `  reward     ▁▃▆█${" ".repeat(13)}       1   entropy    █▆▃▁${" ".repeat(13)}     0.4`,
      `  tokens/s   ▅▅▅▅${" ".repeat(13)}   1 000`,
    ]);
    for (const columns of [60, 80, 109, 110, 120, 300])
      expect(Math.max(...curves.lines(columns, style).map((line) => [...line].length))).toBeLessThanOrEqual(columns);
    expect(curves.lines(120, style)).toHaveLength(2);
  });

  it("are left out where there is no room or no row", () => {
    expect(curves.lines(59, style)).toEqual([]);
    expect(new Curves().lines(120, style)).toEqual([]);
  });
});
