import { describe, expect, it } from "vitest";
import { IncrementalDetokenizer } from "../../src/rollout/tokenizer";
import { type TurnEvent, TurnMachine, type TurnOptions } from "../../src/rollout/turns";
import { observe } from "../../src/rollout/world";
import { OVERLONG_NOTICE } from "../../src/sandbox/observation";
import { promptTemplates } from "../../src/text/templates";
import { FakeTokenizer, formatObservation } from "./fakes";

const tokenizer = new FakeTokenizer();

function machine(options: Partial<TurnOptions> = {}): TurnMachine {
  return new TurnMachine(tokenizer, {
    stopStrings: promptTemplates["zero-tir"].stopStrings,
    maxToolCalls: 2,
    maxCompletionLength: 200,
    ...options,
  });
}

/** Feeds tokens until something other than `continue` happens; returns it with the number of tokens taken. */
function feed(turns: TurnMachine, ids: readonly number[]): { event: TurnEvent; taken: number } {
  for (const [i, id] of ids.entries()) {
    const event = turns.push(id, -1 - i);
    if (event.kind !== "continue") return { event, taken: i + 1 };
  }
  return { event: { kind: "continue" }, taken: ids.length };
}

const fed = (turns: TurnMachine, ...texts: string[]) => feed(turns, tokenizer.tokens(...texts));
const observation = tokenizer.encodePlain("\n```output\n4\n```\n\n\n");

describe("fences", () => {
  it("executes a block, appends the observation and goes on", () => {
    const turns = machine();
    const { event } = fed(turns, "so ", "```python", "\nprint(2+2)\n", "```");
    expect(event).toEqual({ kind: "execute", code: "print(2+2)" });
    expect(turns.resume(observation)).toEqual({ kind: "continue" });
    expect(feed(turns, [...tokenizer.tokens("it is 4"), tokenizer.eosId]).event).toEqual({
      kind: "finished",
      reason: "stop",
    });
    const result = turns.result();
    expect(result.modelText).toBe("so ```python\nprint(2+2)\n```it is 4");
    expect(result.fullText).toBe("so ```python\nprint(2+2)\n```\n```output\n4\n```\n\n\nit is 4");
    const end = 4 + observation.length;
    expect(result.segments).toEqual([
      { kind: "text", start: 0, end: 2 },
      { kind: "code", start: 2, end: 4 },
      { kind: "observation", start: 4, end },
      { kind: "text", start: end, end: end + 2 },
    ]);
    expect(Array.from(result.mask)).toEqual([1, 1, 1, 1, ...new Array(observation.length).fill(0), 1, 1]);
    expect(Array.from(result.logprobs)).toEqual([-1, -2, -3, -4, ...new Array(observation.length).fill(0), -1, -2]);
    expect(result.stopString).toBeUndefined();
  });

  it.each([
    [["``", "`py", "thon", "\nprint(1)", "\n`", "``"]],
    [Array.from("```python\nprint(1)\n```")],
    [["a```python\nprint", "(1)\n``", "`\n\n"]],
    [["```python\nprint(1)```"]],
    [["```python\n  print(1)\n\n```and ```python more```"]],
  ])("finds fences however the text is cut: %j", (texts) => {
    const turns = machine();
    expect(fed(turns, ...texts)).toEqual({ event: { kind: "execute", code: "print(1)" }, taken: texts.length });
    expect(turns.length).toBe(texts.length);
  });

  it("keeps text behind a fence in the output without scanning it", () => {
    const turns = machine();
    fed(turns, "```python", "1", "```</answer>```python");
    turns.resume(observation);
    expect(fed(turns, "2```", "User:").event).toEqual({ kind: "finished", reason: "stop" });
    expect(turns.result().modelText).toBe("```python1```</answer>```python2```User:");
  });

  it("appends nothing for an empty block, but counts its fences", () => {
    const turns = machine({ maxToolCalls: 1 });
    expect(fed(turns, "```python", "\n \n", "```", "```python", "print(1)", "```").event).toEqual({ kind: "continue" });
    expect(turns.push(tokenizer.eosId, 0)).toEqual({ kind: "finished", reason: "stop" });
    expect(turns.result().segments).toEqual([
      { kind: "text", start: 0, end: 1 },
      { kind: "code", start: 1, end: 3 },
      { kind: "text", start: 3, end: 7 },
    ]);
  });

  it("does not join backticks of a closing fence to the text after it", () => {
    const turns = machine({ maxToolCalls: 9 });
    expect(fed(turns, "```python", "```", "python", "x", "```", "`````python", "y```").event).toEqual({
      kind: "execute",
      code: "y",
    });
  });

  it.each([0, 1, 2, 5])("runs at most N_max = %i blocks", (maxToolCalls) => {
    const turns = machine({ maxToolCalls });
    let executed = 0;
    for (let i = 0; i < 8; i++) {
      const { event } = fed(turns, "```python", "f()", "```");
      if (event.kind !== "execute") continue;
      executed++;
      turns.resume(observation);
    }
    expect(executed).toBe(maxToolCalls);
  });
});

describe("endings", () => {
  it.each(promptTemplates["zero-tir"].stopStrings)("ends at %s in text and in code, and keeps it", (stop) => {
    for (const start of [[], ["```python", "x = 1"]]) {
      const turns = machine();
      const texts = [...start, stop.slice(0, 2), `${stop.slice(2)} more`];
      expect(fed(turns, ...texts, "never").event).toEqual({ kind: "finished", reason: "stop" });
      expect(turns.result().stopString).toBe(stop);
      expect(turns.result().modelText).toBe(texts.join(""));
    }
  });

  it("names the longer of two stops that end together, and the first of two that do not", () => {
    const turns = machine({ stopStrings: ["er:", "User:", "User: "] });
    fed(turns, "User: ");
    expect(turns.result().stopString).toBe("User:");
  });

  it("knows further stop tokens", () => {
    const turns = machine({ stopTokenIds: tokenizer.tokens("<|im_end|>") });
    expect(fed(turns, "a", "<|im_end|>").event).toEqual({ kind: "finished", reason: "stop" });
  });

  it("cuts off at the length, also inside code", () => {
    const turns = machine({ maxCompletionLength: 3 });
    expect(fed(turns, "```python", "a", "b", "```")).toEqual({
      event: { kind: "finished", reason: "length" },
      taken: 3,
    });
    expect(turns.result().segments.at(-1)).toEqual({ kind: "code", start: 1, end: 3 });
  });

  it("does not run a block that ends with the budget; a stop there is a stop", () => {
    expect(fed(machine({ maxCompletionLength: 3 }), "```python", "a", "```").event).toEqual({
      kind: "finished",
      reason: "length",
    });
    expect(fed(machine({ maxCompletionLength: 1 }), "</answer>").event).toEqual({ kind: "finished", reason: "stop" });
  });

  it("appends an observation only if a token can follow it", () => {
    for (const [room, kind] of [
      [observation.length, "finished"],
      [observation.length + 1, "continue"],
    ] as const) {
      const turns = machine({ maxCompletionLength: 3 + room });
      fed(turns, "```python", "a", "```");
      expect(turns.resume(observation).kind).toBe(kind);
      expect(turns.length).toBe(kind === "finished" ? 3 : 3 + observation.length);
    }
  });

  it("refuses tokens out of turn", () => {
    const turns = machine();
    expect(() => turns.resume(observation)).toThrow("phase model");
    fed(turns, "```python", "a", "```");
    expect(() => turns.push(1, 0)).toThrow("phase tool");
    expect(() => turns.result()).toThrow("phase tool");
  });
});

describe("observations", () => {
  const result = { status: "error" as const, stdout: "", stderr: "x".repeat(60), ms: 1, queueMs: 0, truncated: false };

  it("replaces one that is too long, fences counted, by a notice in the same fences", () => {
    const whole = formatObservation(result);
    expect(observe(result, formatObservation, tokenizer, whole.length).text).toBe(whole);
    const short = observe(result, formatObservation, tokenizer, whole.length - 1);
    expect(short.text).toBe(`\n\`\`\`output\n${OVERLONG_NOTICE}\n\`\`\`\n\n\n`);
    expect(short.ids).toEqual(tokenizer.encodePlain(short.text));
  });
});

describe("text stream", () => {
  const bytes = (text: string) => Array.from(new TextEncoder().encode(text), (value) => tokenizer.byte(value));

  it("holds back unfinished characters and nothing else", () => {
    const stream = new IncrementalDetokenizer(tokenizer);
    expect(bytes("a€😀b").map((id) => stream.push(id))).toEqual(["a", "", "", "€", "", "", "", "😀", "b"]);
  });

  it("gives out text in front of an unfinished character at once, and only once", () => {
    const stream = new IncrementalDetokenizer({
      eosId: 0,
      encodePlain: () => new Uint32Array(),
      decode: (ids) => (ids.length === 1 ? "```\uFFFD" : "```€"),
    });
    expect([stream.push(1), stream.push(2)]).toEqual(["```", "€"]);
  });

  it("does not wait for ever for bytes that are no character", () => {
    const stream = new IncrementalDetokenizer(tokenizer);
    const pieces = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80].map((value) => stream.push(tokenizer.byte(value)));
    expect(pieces.join("").length).toBeGreaterThan(0);
    expect(stream.push(tokenizer.token("`"))).toMatch(/^\uFFFD*`$/);
  });
});
