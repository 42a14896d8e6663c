import { describe, expect, it } from "vitest";
import { rolloutFileName, rolloutLine } from "../../src/rollout/records";
import { trajectoryId } from "../../src/rollout/trajectory";
import { withoutTime } from "../support/records";
import { ANY, FakeTokenizer, random } from "./fakes";
import { play, scenario } from "./scenario";

const tokenizer = new FakeTokenizer();
const cast = scenario(tokenizer, ["q?"], 2, () => [
  ...tokenizer.tokens("é\n", "```python", "f()", "```"),
  ...new Array<number>(20).fill(ANY),
  ...tokenizer.tokens("</answer>"),
]);
const fields = {
  step: 3,
  prompt: "q?",
  reward: 1,
  rewards: { format: 0.1, answer: 1 },
  advantage: -0.30000000000000004,
};

describe("rollout lines", () => {
  it("hold the trajectory, with log-probs that give back the same f32", async () => {
    const [trajectory] = (await play(cast)).trajectories;
    if (trajectory === undefined) throw new Error("no trajectory");
    const line = rolloutLine(trajectory, fields);
    expect(line).not.toContain("\n");
    const record = JSON.parse(line);
    expect(record).toMatchObject({
      step: 3,
      id: 7000,
      group: 0,
      sample: 0,
      prompt: "q?",
      text: trajectory.fullText,
      model_text: trajectory.modelText,
      finish_reason: "stop",
      stop_string: "</answer>",
      reward: 1,
      advantage: -0.30000000000000004,
      tools: [{ code: "f()", status: trajectory.toolLog[0]?.status, observation: trajectory.toolLog[0]?.observation }],
      segments: trajectory.segments,
      prompt_ids: Array.from(trajectory.promptIds),
      ids: Array.from(trajectory.ids),
      mask: Array.from(trajectory.mask),
    });
    expect(Object.keys(record.rewards)).toEqual(["answer", "format"]);
    expect(Float32Array.from(record.logprobs)).toEqual(trajectory.logprobs);
    expect(JSON.stringify(record.logprobs).length).toBeLessThan(JSON.stringify(Array.from(trajectory.logprobs)).length);
  });

  it("are equal byte for byte, but for the time", async () => {
    const lines = async (seed: number) => {
      const draw = random(seed);
      const { trajectories } = await play(cast, {}, {}, { python: () => 1 + draw(50) });
      return trajectories.map((trajectory) => rolloutLine(trajectory, fields));
    };
    const [one, two] = [await lines(1), await lines(2)];
    expect(one).not.toEqual(two);
    expect(one.map(withoutTime)).toEqual(two.map(withoutTime));
    expect(JSON.parse(one[0] ?? "").time.tools).toEqual([{ ms: expect.any(Number), queue_ms: 0 }]);
  });

  it("leave out what is not given", async () => {
    const [trajectory] = (await play(cast)).trajectories;
    if (trajectory === undefined) throw new Error("no trajectory");
    const keys = Object.keys(JSON.parse(rolloutLine(trajectory, { step: 0 })));
    for (const key of ["prompt", "reward", "rewards", "advantage"]) expect(keys).not.toContain(key);
    expect(keys.at(-1)).toBe("time");
  });

  it("have a file for each step", () => {
    expect(rolloutFileName(10)).toBe("step_00010.jsonl");
  });
});

describe("trajectory ids", () => {
  const space = { groupsPerStep: 3, samplesPerGroup: 4 };

  it("count through the run", () => {
    const ids = [0, 1, 2].flatMap((step) =>
      [0, 1, 2].flatMap((group) => [0, 1, 2, 3].map((sample) => trajectoryId(step, group, sample, space))),
    );
    expect(ids).toEqual(Array.from({ length: 36 }, (_, i) => i));
  });

  it("refuse what lies outside", () => {
    for (const [step, group, sample] of [
      [0, 3, 0],
      [0, 0, 4],
      [-1, 0, 0],
      [0.5, 0, 0],
      [2 ** 31, 0, 0],
    ] as const)
      expect(() => trajectoryId(step, group, sample, space)).toThrow(RangeError);
  });
});
