import { describe, expect, it } from "vitest";
import { rolloutMetrics } from "../../src/rollout/statistics";
import { ENGINE_FAILED } from "../../src/rollout/world";
import type { PythonResult } from "../../src/sandbox/engine";
import { OVERLONG_NOTICE } from "../../src/sandbox/observation";
import { observationPolicy } from "../../src/sandbox/policies";
import { ANY, FakeDecoder, FakePython, FakeTokenizer, random, turnsOfTheLoop, turnsPassed } from "./fakes";
import { generate, optionsFor, play, SHAPE, scenario, timeless } from "./scenario";

const tokenizer = new FakeTokenizer();
const DONE: PythonResult = { status: "ok", stdout: "", stderr: "", ms: 0, queueMs: 0, truncated: false };
const say = (...texts: string[]) => tokenizer.tokens(...texts);
const anything = (count: number) => new Array<number>(count).fill(ANY);
const block = (code: string) => say("``", "`py", "thon\n", code, "\n```");

/** Three groups of four: plain text, one block, two blocks, and one that runs into its length. */
const mixed = scenario(tokenizer, ["what is 2+2?", "hello", "12345678"], 4, (group, sample) => {
  const end = say("</answer>");
  if (sample === 0) return [...anything(3 + group * 5), ...end];
  if (sample === 1) return [...anything(2), ...block(`print(${group})`), ...anything(6), ...end];
  if (sample === 2) return [...block("f()"), ...anything(3), ...block("g()"), ...anything(4), tokenizer.eosId];
  return anything(300);
});

describe("results do not depend on", () => {
  const reference = play(mixed, { runAhead: 0 }, { slots: 1 });

  it.each([0, 1, 2, 3, 4])("runAhead %i", async (runAhead) => {
    const draw = random(runAhead);
    const outcome = await play(mixed, { runAhead }, {}, { batch: () => draw(3), python: () => draw(20) });
    expect(timeless(outcome.trajectories)).toEqual(timeless((await reference).trajectories));
    expect(outcome.decoder.mostOnTheirWay).toBe(runAhead + 1);
  });

  it.each([1, 2, 3, 5, 8, 12])("%i slots", async (slots) => {
    const outcome = await play(mixed, {}, { slots });
    expect(timeless(outcome.trajectories)).toEqual(timeless((await reference).trajectories));
    expect(outcome.statistics.peakSlots).toBe(slots);
  });

  it.each([1, 2, 7, 64])("at most %i rows in a batch", async (maxRows) => {
    const outcome = await play(mixed, {}, { slots: 8, maxRows });
    expect(timeless(outcome.trajectories)).toEqual(timeless((await reference).trajectories));
  });

  it.each([1, 3, 5, 8, 16])("pages of %i tokens, as few as will do", async (pageSize) => {
    const pageCount = Math.ceil((12 + 120 - 1) / pageSize) + 1;
    const outcome = await play(mixed, {}, { slots: 8, pageSize, pageCount });
    expect(timeless(outcome.trajectories)).toEqual(timeless((await reference).trajectories));
    expect(outcome.statistics.peakPages).toBeLessThanOrEqual(pageCount);
  });

  it("when Python answers", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const draw = random(seed);
      const outcome = await play(mixed, {}, { slots: 8 }, { python: () => draw(60) });
      expect(timeless(outcome.trajectories)).toEqual(timeless((await reference).trajectories));
    }
  });
});

describe("prompts", () => {
  it("are computed once for the group, and the first tokens drawn from one row", async () => {
    const cast = scenario(tokenizer, ["0123456789"], 4, () => [...anything(3), tokenizer.eosId]);
    const { decoder, statistics } = await play(cast, { runAhead: 0, maxCompletionLength: 10 });
    expect(Array.from(decoder.batches[0]?.sampleRows ?? [])).toEqual([9, 9, 9, 9]);
    expect(statistics.rows).toBe(10 + 4 * 3);
    // Two full pages are shared; each of the four has its own third, fourth and fifth page.
    expect(statistics.peakPages).toBe(2 + 4 * 3);
  });

  it("are computed in parts when a batch is too small, beside tokens of others", async () => {
    const cast = scenario(tokenizer, ["ab", "0123456789012345678901234567"], 1, () => [
      ...anything(20),
      tokenizer.eosId,
    ]);
    const { decoder } = await play(cast, { runAhead: 1 }, { slots: 2, maxRows: 8 });
    expect(decoder.batches.map((batch) => batch.slots.length).slice(0, 5)).toEqual([8, 8, 8, 8, 2]);
    expect(new Set(decoder.batches[1]?.slots)).toEqual(new Set([0, 1]));
  });

  it("cost one row for a sample that enters later", async () => {
    const cast = scenario(tokenizer, ["0123456789"], 3, () => [...anything(3), tokenizer.eosId]);
    const { statistics } = await play(cast, { runAhead: 0 }, { slots: 1 });
    expect(statistics.rows).toBe(10 + 1 + 1 + 3 * 3);
  });
});

describe("tools", () => {
  it("run while others decode, and only exposed time is charged as such", async () => {
    const cast = scenario(tokenizer, ["q"], 2, (_, sample) =>
      sample === 0 ? [...block("f()"), 0] : [...anything(90), 0],
    );
    const clock = { now: turnsPassed };
    const delays = { batch: () => 1, python: () => 10 };
    const hidden = await play(cast, clock, {}, delays);
    expect(hidden.statistics.toolExposedMs).toBe(0);
    expect(rolloutMetrics(hidden.statistics)["overlap/tool_hidden_fraction"]).toBe(1);
    const alone = await play(
      { ...cast, requests: [{ ...first(cast.requests), trajectoryIds: [7000] }] },
      clock,
      {},
      delays,
    );
    expect(alone.statistics.toolExposedMs).toBeGreaterThan(0);
    expect(rolloutMetrics(alone.statistics)["overlap/tool_hidden_fraction"]).toBeLessThan(1);
    expect(alone.statistics.toolHiddenMs).toBeLessThanOrEqual(alone.statistics.toolMs);
  });

  it("get a seed of their own for each call", async () => {
    const { python } = await play(mixed);
    expect(new Set(python.calls.map((call) => call.seed)).size).toBe(python.calls.length);
    expect(python.calls[0]).toMatchObject({ timeoutMs: 1000, memoryMb: 64, maxOutputBytes: 4096 });
  });

  it.each(["die()", "throw()"])("that fail by %s give an error observation and end nothing", async (code) => {
    const cast = scenario(tokenizer, ["q"], 2, () => [...block(code), ...anything(4), tokenizer.eosId]);
    const errors: unknown[] = [];
    const { trajectories } = await play(cast, {}, {}, {}, { onEngineError: (error) => errors.push(error) });
    expect(errors).toHaveLength(2);
    for (const trajectory of trajectories) {
      expect(trajectory.finishReason).toBe("stop");
      expect(trajectory.toolLog).toMatchObject([{ code, status: "crash", stderr: ENGINE_FAILED }]);
      expect(trajectory.fullText).toContain(`\`\`\`output\n${ENGINE_FAILED}\n\`\`\``);
    }
  });

  it("put a notice in place of an observation that is too long", async () => {
    const cast = scenario(tokenizer, ["q"], 1, () => [...block("f()"), tokenizer.eosId]);
    const { trajectories } = await play(cast, { maxToolResponseTokens: 5 });
    const { observation, stdout, stderr } = first(first(trajectories).toolLog);
    expect(observation).toBe(`\n\`\`\`output\n${OVERLONG_NOTICE}\n\`\`\`\n\n\n`);
    expect(stdout + stderr).not.toBe("");
  });

  it("may give an empty observation", async () => {
    const cast = scenario(tokenizer, ["q"], 1, () => [...block("f()"), ...say("a"), tokenizer.eosId]);
    const { trajectories } = await play(cast, { formatObservation: () => "" });
    expect(first(trajectories).fullText).toBe("```python\nf()\n```a");
  });

  it("log a call whose observation found no room", async () => {
    const cast = scenario(tokenizer, ["q"], 1, () => [...block("f()"), ...anything(5)]);
    const { trajectories } = await play(cast, { maxCompletionLength: 8 });
    expect(first(trajectories)).toMatchObject({ finishReason: "length", toolLog: [{ code: "f()", observation: "" }] });
    expect(first(trajectories).ids).toHaveLength(5);
  });
});

describe("the course of a rollout", () => {
  it("hands each trajectory over as soon as it ends, and all in order at the end", async () => {
    const ended: number[] = [];
    const outcome = await play(mixed, {}, { slots: 12 }, {}, { onFinished: ({ id }) => ended.push(id) });
    expect(outcome.trajectories.map(({ id }) => id)).toEqual(
      mixed.requests.flatMap((request) => request.trajectoryIds),
    );
    expect([...ended].sort()).toEqual(outcome.trajectories.map(({ id }) => id).sort());
    expect(ended.slice(-3)).toEqual([6991, 6979, 6967]);
  });

  it("counts rows computed past a stop", async () => {
    const cast = scenario(tokenizer, ["abc"], 1, () => [...anything(4), tokenizer.eosId]);
    const none = await play(cast, { runAhead: 0 });
    expect(none.statistics).toMatchObject({ discardedRows: 0, rows: 3 + 4, sampledTokens: 5, batches: 5 });
    const some = await play(cast, { runAhead: 3 });
    expect(some.statistics).toMatchObject({ discardedRows: 3, rows: 3 + 4 + 3, sampledTokens: 5 });
  });

  it("says what it waits for", async () => {
    const cast = scenario(tokenizer, ["q"], 1, () => [...block("f()"), tokenizer.eosId]);
    const heard = new Set<string>();
    const hooks = { onHeartbeat: ({ waitingFor }: { waitingFor: string }) => heard.add(waitingFor) };
    const slow = { python: () => 2000, batch: () => 300 };
    const { statistics } = await play(cast, { heartbeatMs: 1 }, {}, slow, hooks);
    expect(heard).toEqual(new Set(["model", "tools"]));
    expect(statistics.elapsedMs).toBeGreaterThan(0);
  });

  it("stops at the signal, also while only Python runs", async () => {
    const cast = scenario(tokenizer, ["q"], 1, () => [...block("f()"), tokenizer.eosId]);
    const controller = new AbortController();
    const rollout = play(cast, { signal: controller.signal, runAhead: 0 }, {}, { python: () => 100_000 });
    const ended = expect(rollout).rejects.toThrow("enough");
    await turnsOfTheLoop(50);
    controller.abort(new Error("enough"));
    await ended;
  });

  it("stops at a signal that a hook gives", async () => {
    const cast = scenario(tokenizer, ["q"], 2, (_, sample) => (sample === 0 ? block("f()") : [...anything(8), 0]));
    const controller = new AbortController();
    const onFinished = () => controller.abort(new Error("one is enough"));
    const engine = { run: () => new Promise<PythonResult>(() => {}) };
    const decoder = new FakeDecoder(SHAPE, cast.scripts, tokenizer);
    const options = optionsFor(tokenizer, { signal: controller.signal, runAhead: 0 });
    const rollout = generate(cast.requests, decoder, engine, options, { onFinished });
    await expect(rollout).rejects.toThrow("one is enough");
  });

  it("ends with the decoder's error, and with a hook's", async () => {
    class Lost extends FakeDecoder {
      override enqueue(): Promise<never> {
        return Promise.reject(new Error("device lost"));
      }
    }
    const decoder = new Lost(SHAPE, mixed.scripts, tokenizer);
    const options = optionsFor(tokenizer);
    await expect(generate(mixed.requests, decoder, new FakePython(), options)).rejects.toThrow("device lost");
    const onFinished = () => {
      throw new Error("grading failed");
    };
    await expect(play(mixed, {}, {}, {}, { onFinished })).rejects.toThrow("grading failed");
  });

  it("takes no requests, and requests without samples", async () => {
    expect((await play(scenario(tokenizer, [], 1, () => []))).trajectories).toEqual([]);
    expect((await play(scenario(tokenizer, ["q"], 0, () => []))).trajectories).toEqual([]);
  });

  it("takes no more trajectories than a batch has rows, and respects maxActive", async () => {
    expect((await play(mixed, {}, { slots: 8, maxRows: 2 })).statistics.peakSlots).toBe(2);
    expect((await play(mixed, { maxActive: 3 }, { slots: 8 })).statistics.peakSlots).toBe(3);
  });
});

describe("bad input", () => {
  const one = scenario(tokenizer, ["0123456789"], 2, () => [tokenizer.eosId]);
  const user = (message: RegExp) =>
    expect.objectContaining({ name: "UserError", message: expect.stringMatching(message) });

  it("a sequence longer than a slot", async () => {
    await expect(play(one, { maxCompletionLength: 503 })).rejects.toEqual(
      user(/10 tokens.*503.*at most 512.*lower max_comp/),
    );
  });

  it("a request that needs more pages than there are", async () => {
    const shape = { pageCount: 8 };
    await expect(play(one, { maxCompletionLength: 23 }, shape)).rejects.toEqual(
      user(/needs 9 KV pages of 4.*are 8: lower/),
    );
    expect((await play(one, { maxCompletionLength: 19 }, shape)).trajectories).toHaveLength(2);
  });

  it("an empty prompt, options out of range, an id used twice", async () => {
    await expect(play(scenario(tokenizer, [""], 1, () => []))).rejects.toEqual(user(/group 0.*0 tokens/));
    await expect(play(one, { maxCompletionLength: 0 })).rejects.toEqual(user(/max_completion_length is 0/));
    await expect(play(one, { runAhead: 1.5 })).rejects.toEqual(user(/run_ahead is 1.5/));
    await expect(play({ ...one, requests: [...one.requests, ...one.requests] })).rejects.toThrow("used twice");
  });
});

it("shows results as the policy says", async () => {
  const cast = scenario(tokenizer, ["q"], 1, () => [...block("f()"), tokenizer.eosId]);
  const engine = { run: async () => ({ ...DONE, stdout: "4\n" }) };
  const decoder = new FakeDecoder(SHAPE, cast.scripts, tokenizer);
  const options = optionsFor(tokenizer, { formatObservation: observationPolicy("zerotir").observe });
  const [trajectory] = await generate(cast.requests, decoder, engine, options);
  expect(trajectory?.fullText).toBe("```python\nf()\n```\n```output\n4\n```\n\n\n");
});

function first<T>(values: readonly T[]): T {
  const [value] = values;
  if (value === undefined) throw new Error("nothing there");
  return value;
}
