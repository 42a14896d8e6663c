import { expect, it } from "vitest";
import { ANY, FakeTokenizer, random } from "./fakes";
import { expectedTrajectory } from "./oracle";
import { optionsFor, play, scenario, timeless } from "./scenario";

const PIECES = [
  ...["a", "\n", " ", "x=1", "print(2)", "die()", "throw()", "`", "``", "`python", "```", "```\n", "```python"],
  ...["```python", "```python\n", "```python\nprint(1)```", "```</answer>", "``````python", "</answer>", "Us", "er:"],
];

it("200 random cases agree with the plain simulation, whatever the shape and the timing", async () => {
  let calls = 0;
  let discarded = 0;
  let finishedEarly = 0;
  for (let seed = 0; seed < 200; seed++) {
    const draw = random(seed);
    const tokenizer = new FakeTokenizer();
    const prompts = Array.from({ length: 1 + draw(3) }, (_, group) => "prompt"[group]?.repeat(1 + draw(13)) ?? "p");
    const cast = scenario(tokenizer, prompts, 1 + draw(5), () =>
      Array.from({ length: 5 + draw(50) }, () => {
        if (draw(60) === 0) return tokenizer.eosId;
        return draw(5) === 0 ? ANY : tokenizer.token(PIECES[draw(PIECES.length)] ?? "");
      }),
    );
    const options = {
      maxToolCalls: draw(4),
      maxCompletionLength: 1 + draw(90),
      maxToolResponseTokens: 20 + draw(60),
      stopStrings: draw(3) === 0 ? [] : ["User:", "</answer>"],
    };
    const longest = Math.max(...prompts.map((prompt) => prompt.length)) + options.maxCompletionLength;
    for (let variant = 0; variant < 2; variant++) {
      const pageSize = 1 + draw(9);
      const shape = {
        slots: 1 + draw(8),
        pageSize,
        pageCount: Math.ceil(longest / pageSize) * (1 + draw(4)) + 1,
        maxRows: 1 + draw(20),
        maxLength: longest,
      };
      const most = 1 + draw(12);
      const delays = { batch: () => draw(3), python: () => draw(most) };
      const { trajectories, statistics } = await play(cast, { ...options, runAhead: draw(5) }, shape, delays);
      discarded += statistics.discardedRows;
      for (const trajectory of timeless(trajectories)) {
        const script = cast.scripts.get(trajectory.id);
        if (script === undefined) throw new Error("a trajectory that was not asked for");
        const expected = expectedTrajectory(trajectory.id, script, optionsFor(tokenizer, options), tokenizer);
        const got = {
          ids: Array.from(trajectory.ids),
          mask: Array.from(trajectory.mask),
          logprobs: Array.from(trajectory.logprobs),
          finishReason: trajectory.finishReason,
          stopString: trajectory.stopString,
          codes: trajectory.toolLog.map((record) => record.code),
        };
        expect(got, `case ${seed}, trajectory ${trajectory.id}`).toEqual(expected);
        expect(trajectory.segments.at(0)?.start).toBe(0);
        expect(trajectory.segments.at(-1)?.end).toBe(trajectory.ids.length);
        expect(trajectory.mask.at(-1)).toBe(1);
        calls += expected.codes.length;
        if (expected.finishReason === "stop") finishedEarly++;
      }
    }
  }
  // The cases are worth their time only if all of this happens in them.
  expect(calls).toBeGreaterThan(500);
  expect(discarded).toBeGreaterThan(500);
  expect(finishedEarly).toBeGreaterThan(500);
});
