/**
 * Environments in the rollout: what they are told, what the model is shown, and what happens when the user's code goes
 * wrong.
 */
import { describe, expect, test } from "vitest";
import type { Environment, EnvironmentEnding, StepResult } from "../../src/rollout/environment";
import { type EnvironmentSettings, openEnvironments, parseCall } from "../../src/rollout/environment-world";
import { type InteractOptions, interact } from "../../src/rollout/scheduler";
import type { Trajectory } from "../../src/rollout/trajectory";
import { FakeDecoder, FakeTokenizer, random, turnsOfTheLoop } from "./fakes";
import { type Scenario, SHAPE, scenario, timeless } from "./scenario";

interface Played {
  readonly trajectories: Trajectory[];
  readonly rewards: (number | null)[];
}

const LIMITS = { maxSteps: 5, maxObservationTokens: 60, timeoutMs: 2000, seed: "7" };

/** Plays every trajectory of the cast in an environment of its own. */
async function play(
  { tokenizer, requests, scripts }: Scenario,
  factory: () => Environment,
  settings: Partial<EnvironmentSettings> = {},
  options: Partial<InteractOptions> = {},
  delay: () => number = () => 0,
): Promise<Played> {
  const groups = requests.map(({ groupIndex, trajectoryIds }) => ({
    row: { prompt: `question ${groupIndex}`, answer: "none", target: groupIndex },
    trajectoryIds,
  }));
  const environments = await openEnvironments(factory, groups, { tokenizer, ...LIMITS, ...settings });
  const decoder = new FakeDecoder(SHAPE, scripts, tokenizer, delay);
  const trajectories = await interact(requests, decoder, environments, {
    tokenizer,
    stopStrings: ["STOP"],
    maxToolCalls: 5,
    maxCompletionLength: 200,
    runAhead: 2,
    ...options,
  });
  const rewards = await Promise.all(
    trajectories.map(({ id, modelText: text, finishReason }) => environments.reward(id, { text, finishReason })),
  );
  return { trajectories, rewards };
}

/** One trajectory that says these texts, character by character, and is answered in between. */
function saying(text: string): Scenario {
  const tokenizer = new FakeTokenizer();
  return scenario(tokenizer, ["P"], 1, () => tokenizer.chars(text));
}

/** Says higher or lower; done when the number is found. */
class Guessing implements Environment {
  readonly heard: string[] = [];
  target = 7;
  reset(): void {
    this.heard.length = 0;
  }
  step(text: string): StepResult | Promise<StepResult> {
    this.heard.push(text);
    const guess = Number(text);
    if (guess === this.target) return { done: true };
    return guess < this.target ? "higher\n" : { observation: "lower\n" };
  }
  reward({ finishReason }: EnvironmentEnding): number {
    return finishReason === "stop" ? 1 / this.heard.length : 0;
  }
}

/** A text store. */
class Store implements Environment {
  private readonly values = new Map<string, string>();
  reset(): void {
    this.values.clear();
  }
  readonly tools = {
    set: (key: string, value: string) => {
      this.values.set(key, value);
      return "ok";
    },
    get: async (key: string) => {
      const value = this.values.get(key);
      if (value === undefined) throw new Error(`nothing under ${key}`);
      return value;
    },
    list: () => [...this.values.keys()],
  };
  reward({ text }: EnvironmentEnding): number {
    return text.endsWith("green") ? 1 : -1;
  }
}

describe("turns", () => {
  test("each turn is answered, the answers have mask 0, and done ends the trajectory at a sampled token", async () => {
    const { trajectories, rewards } = await play(saying("3\n9\n7\nunheard"), () => new Guessing());
    const [trajectory] = trajectories;
    expect(trajectory).toMatchObject({
      fullText: "3\nhigher\n9\nlower\n7\n",
      modelText: "3\n9\n7\n",
      finishReason: "stop",
    });
    const masks = Array.from(trajectory?.mask ?? []).join("");
    expect(masks).toBe(`11${"0".repeat(7)}11${"0".repeat(6)}11`);
    expect(trajectory?.logprobs.filter((_, i) => masks[i] === "0")).toEqual(new Float32Array(13));
    expect(trajectory?.toolLog.map(({ code, stdout, observation }) => [code, stdout, observation])).toEqual([
      ["3", "higher\n", "higher\n"],
      ["9", "lower\n", "lower\n"],
      ["7", "", ""],
    ]);
    expect(rewards).toEqual([1 / 3]);
  });

  test("the last answer that is allowed ends the trajectory instead", async () => {
    const { trajectories, rewards } = await play(saying("3\n4\n7\n"), () => new Guessing(), { maxSteps: 2 });
    expect(trajectories[0]).toMatchObject({ fullText: "3\nhigher\n4\n", finishReason: "length" });
    expect(rewards).toEqual([0]);
  });

  test("an end of the environment's own, cut into tokens anyhow; the text excludes it", async () => {
    const heard: string[] = [];
    const tokenizer = new FakeTokenizer();
    const cast = scenario(tokenizer, ["P"], 1, () => tokenizer.tokens("line\none<", "e", "nd>tail", "STOP"));
    const { trajectories } = await play(cast, () => ({
      turnEnds: ["<end>"],
      reset() {},
      step(text) {
        heard.push(text);
        return "!";
      },
    }));
    expect(heard).toEqual(["line\none"]);
    // What stands behind the end in the same token stays in the output, and is no turn's text.
    expect(trajectories[0]?.fullText).toBe("line\none<end>tail!STOP");
  });

  test("an answer that leaves no room for another token ends the trajectory by length", async () => {
    const { trajectories } = await play(saying("3\n7\n"), () => new Guessing(), {}, { maxCompletionLength: 9 });
    expect(trajectories[0]).toMatchObject({ fullText: "3\n", finishReason: "length" });
    const roomy = await play(saying("3\n7\n"), () => new Guessing(), {}, { maxCompletionLength: 10 });
    expect(roomy.trajectories[0]).toMatchObject({ fullText: "3\nhigher\n7", finishReason: "length" });
  });

  test("an answer that is too long gives way to a notice", async () => {
    const { trajectories } = await play(saying("3\n7\n"), () => new Guessing(), { maxObservationTokens: 6 });
    expect(trajectories[0]?.fullText).toBe("3\nThe output is too long.\n7\n");
  });
});

describe("tools", () => {
  test("calls are made by name, and their output stands in a fence", async () => {
    const text = 'x```call\nset("c", "green")\n```ab```call\nget("c")\n```green';
    const { trajectories, rewards } = await play(saying(text), () => new Store());
    expect(trajectories[0]?.fullText.replace("\0", "")).toBe(
      'x```call\nset("c", "green")\n```\n```output\nok\n```\n\n\nab```call\nget("c")\n```\n```output\ngreen\n```\n\n\ngreen',
    );
    expect(trajectories[0]?.segments.map(({ kind }) => kind)).toEqual([
      "text",
      "code",
      "observation",
      "text",
      "code",
      "observation",
      "text",
    ]);
    expect(rewards).toEqual([1]);
  });

  test.each([
    ['get("c")', "error", "Error: nothing under c"],
    ["list()", "ok", "[]"],
    ["drop()", "error", "Error: there is no tool drop; there are set, get, list"],
    ["constructor()", "error", "Error: there is no tool constructor; there are set, get, list"],
    ["get(c)", "error", 'Error: expected one call such as name("text", 1), with JSON values'],
    ["just text", "error", 'Error: expected one call such as name("text", 1), with JSON values'],
  ])("%s gives %s: %s", async (call, status, shown) => {
    const { trajectories } = await play(saying(`\`\`\`call\n${call}\n\`\`\``), () => new Store(), {
      maxObservationTokens: 200,
    });
    expect(trajectories[0]?.toolLog).toMatchObject([
      { code: call, status, observation: `\n\`\`\`output\n${shown}\n\`\`\`\n\n\n` },
    ]);
  });

  test("Python's fence means nothing there, and no more calls are answered than allowed", async () => {
    const block = "```call\nlist()\n```";
    const { trajectories } = await play(
      saying(`\`\`\`python\n1\n\`\`\`${block}${block}${block}`),
      () => new Store(),
      {},
      {
        maxToolCalls: 2,
      },
    );
    expect(trajectories[0]?.toolLog.map(({ code }) => code)).toEqual(["list()", "list()"]);
  });

  test("calls as the model may write them", () => {
    expect(parseCall('set({"key": [1, null]}, "a)b")')).toEqual({ name: "set", args: [{ key: [1, null] }, "a)b"] });
    expect(parseCall(" now ( ) ; ")).toEqual({ name: "now", args: [] });
    for (const text of ["", "a", "a(", "a.b()", "a()b()", "a(1,)", "a(1) or so"])
      expect(parseCall(text)).toBeUndefined();
  });
});

test("reset is given the row and a seed of its own, and its text is the prompt", async () => {
  const told: unknown[] = [];
  const tokenizer = new FakeTokenizer();
  const groups = [{ row: { prompt: "old", answer: "a", level: 3 }, trajectoryIds: [5, 9] }];
  const environments = await openEnvironments(
    () => ({
      async reset(row, { seed }) {
        told.push([row.level, row.prompt, seed]);
        return `level ${String(row.level)}`;
      },
    }),
    groups,
    { tokenizer, ...LIMITS },
  );
  expect(told).toEqual([
    [3, "old", "7/5"],
    [3, "old", "7/9"],
  ]);
  expect(environments.prompt(0)).toBe("level 3");
  expect(environments.protocol).toMatchObject({ opening: null, turnEnds: [] });
  expect(await environments.reward(5, { text: "", finishReason: "stop" })).toBeNull();
});

test("what it takes the environment to answer changes no token", async () => {
  const tokenizer = new FakeTokenizer();
  const draw = random(11);
  const cast = scenario(tokenizer, ["P", "longer prompt"], 5, () =>
    tokenizer.chars(Array.from({ length: 4 }, () => `${draw(9)}\n`).join("")),
  );
  class Slow extends Guessing {
    private readonly wait: (below: number) => number;
    constructor(wait: (below: number) => number) {
      super();
      this.wait = wait;
    }
    override async step(text: string): Promise<StepResult> {
      const answer = super.step(text);
      await turnsOfTheLoop(this.wait(12));
      return answer;
    }
  }
  const at = (seed: number) =>
    play(
      cast,
      () => new Slow(random(seed)),
      {},
      { runAhead: seed % 3 },
      () => seed % 4,
    );
  const quick = await play(cast, () => new Guessing());
  expect(quick.trajectories.some(({ toolLog }) => toolLog.length > 1)).toBe(true);
  for (const seed of [1, 2, 3]) {
    const slow = await at(seed);
    expect(timeless(slow.trajectories)).toEqual(timeless(quick.trajectories));
    expect(slow.rewards).toEqual(quick.rewards);
  }
});

test("others go on decoding while an environment thinks", async () => {
  const tokenizer = new FakeTokenizer();
  const cast = scenario(tokenizer, ["P"], 2, (_, sample) =>
    tokenizer.chars(sample === 0 ? "1\n7\n" : "abcdefghijklSTOP"),
  );
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = false;
  const environment = (): Environment => ({
    reset() {},
    async step() {
      asked = true;
      await held;
      return { done: true };
    },
  });
  const groups = [{ row: { prompt: "", answer: "" }, trajectoryIds: cast.requests[0]?.trajectoryIds ?? [] }];
  const environments = await openEnvironments(environment, groups, { tokenizer, ...LIMITS });
  const finished: number[] = [];
  await interact(
    cast.requests,
    new FakeDecoder(SHAPE, cast.scripts, tokenizer),
    environments,
    { tokenizer, stopStrings: ["STOP"], maxToolCalls: 5, maxCompletionLength: 100, runAhead: 1 },
    {
      onFinished({ sampleIndex }) {
        expect(asked).toBe(true);
        finished.push(sampleIndex);
        release();
      },
    },
  );
  expect(finished).toEqual([1, 0]);
});

describe("the user's mistakes end the run with a sentence", () => {
  const never = () => new Promise<never>(() => {});
  const of = (part: object) => () => ({ reset() {}, ...part }) as unknown as Environment;
  test.each<[string, () => Environment, RegExp]>([
    [
      "a throw of step",
      of({
        step: () => {
          throw new RangeError("bad");
        },
      }),
      /^the environment: step threw RangeError: bad$/,
    ],
    ["a step of nothing", of({ step() {} }), /step returned undefined, expected a text, \{ observation: text \} or/],
    ["a step of a number", of({ step: () => 3 }), /step returned 3, expected/],
    ["a done that is no boolean", of({ step: () => ({ done: "yes" }) }), /step returned an object, expected/],
    ["a step that never comes", of({ step: never }), /step gave no answer within --tool-timeout 0.05 seconds/],
    ["a tool of nothing", of({ tools: { t() {} } }), /tool t returned undefined, expected a text or a value/],
    ["a tool that never comes", of({ tools: { t: never } }), /tool t gave no answer within --tool-timeout 0.05/],
    ["a reward of a text", of({ reward: () => "1" }), /reward returned "1", expected a finite number or null/],
    ["a reward that is not finite", of({ reward: () => Number.NaN }), /reward returned NaN, expected a finite number/],
    [
      "a throw of reward",
      of({
        reward: async () => {
          throw "no";
        },
      }),
      /reward threw "no"/,
    ],
    [
      "a throw of reset",
      of({
        reset() {
          throw new Error("gone");
        },
      }),
      /reset threw Error: gone/,
    ],
    ["a reset to a number", of({ reset: () => 5 }), /reset returned 5, expected nothing or the text of the prompt/],
    [
      "a factory that throws",
      () => {
        throw new Error("none left");
      },
      /^environmentFactory threw Error: none left$/,
    ],
    ["a factory of something else", (() => "env") as never, /^environmentFactory returned "env", expected an object/],
    ["a factory that promises one", (async () => ({ reset() {} })) as never, /^environmentFactory returned a promise/],
    ["a class", class {} as never, /^environmentFactory is a class, expected a function that makes an environment/],
    ["an environment itself", { reset() {} } as never, /^environmentFactory is an object, expected a function/],
    ["a step that is no function", of({ step: 5 }), /step is 5, expected a function/],
    ["a reward that is no function", of({ reward: 5 }), /reward is 5, expected a function/],
    ["no tools", of({ tools: null }), /tools is null, expected an object of functions/],
    ["a tool that is no function", of({ tools: { t: 5 } }), /tool t is 5, expected a function/],
    ["a tool that no call can name", of({ tools: { "get-weather": () => 1 } }), /tool "get-weather" cannot be called/],
    ["a tool's value beyond JSON", of({ tools: { t: () => 5n } }), /tool t returned 5, expected a text or a value/],
    ["turn ends of another type", of({ turnEnds: "\n" }), /turnEnds is "\\n", expected a list/],
  ])("%s", async (_, factory, message) => {
    const cast = saying("a```call\nt()\n```\n");
    await expect(play(cast, factory, { timeoutMs: 50 })).rejects.toThrow(
      expect.objectContaining({ name: "UserError", message: expect.stringMatching(message) }),
    );
  });

  test("prompts that differ within a group", async () => {
    const tokenizer = new FakeTokenizer();
    const cast = scenario(tokenizer, ["P"], 2, () => tokenizer.chars("x"));
    let count = 0;
    await expect(play(cast, () => ({ reset: () => `prompt ${count++}` }))).rejects.toThrow(
      'reset gave two trajectories of one row the prompts "prompt 0" and "prompt 1"',
    );
  });
});
