import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isComplete, latestCheckpoint, nodeFolder } from "../../src/platform/node/files";
import { nodeRunFiles } from "../../src/platform/node/run-files";
import { readTrainerState, trainerStateJson } from "../../src/session/checkpoint";
import { deterministicPart, isTiming, type MetricsRow, metricHelp, metricsLine } from "../../src/session/metrics";
import { RunFolder } from "../../src/session/run-folder";

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-run-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

const row = (step: number): MetricsRow => ({
  step,
  reward: step / 10,
  step_time: Math.random(),
  "time/rollout": Math.random(),
});
const text = (name: string) => fs.readFile(join(root, "a", name), "utf8");

/** Steps from..to as training makes them, with a checkpoint every second step. */
async function run(folder: RunFolder, from: number, to: number, keep?: number): Promise<void> {
  for (let step = from; step <= to; step++) {
    await folder.logRollouts(step, [`{"step":${step}}`, "{}"]);
    await folder.logMetrics(row(step));
    if (step % 2 === 0)
      await folder.saveCheckpoint(
        step,
        (writer) =>
          writer.write(
            "trainer_state.json",
            trainerStateJson({ global_step: step, optimizer_step: step, num_tokens: 0, seed: 1 }),
          ),
        keep,
      );
  }
}

async function untimed(): Promise<MetricsRow[]> {
  return (await text("metrics.jsonl"))
    .split("\n")
    .slice(0, -1)
    .map((line) => deterministicPart(JSON.parse(line)));
}

describe("RunFolder", () => {
  it("lays a run out, and refuses a second one in the same place", async () => {
    const files = nodeRunFiles(join(root, "a"));
    await run(await RunFolder.start(files, "seed: 1\n"), 1, 2);
    expect((await fs.readdir(join(root, "a"))).sort()).toEqual([
      "checkpoints",
      "config.resolved.yaml",
      "metrics.jsonl",
      "rollouts",
    ]);
    expect(await text("config.resolved.yaml")).toBe("seed: 1\n");
    expect(await text("rollouts/step_00002.jsonl")).toBe('{"step":2}\n{}\n');
    expect(await isComplete(join(root, "a/checkpoints/step_00002"))).toBe(true);
    await expect(RunFolder.start(files, "")).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/already holds a run; go on with it by --resume-from-checkpoint latest/),
    });
  });

  it("may begin again where no step was finished", async () => {
    const files = nodeRunFiles(join(root, "a"));
    await RunFolder.start(files, "seed: 1\n");
    await run(await RunFolder.start(files, "seed: 2\n"), 1, 1);
    expect(await text("config.resolved.yaml")).toBe("seed: 2\n");
    await expect(RunFolder.start(files, "")).rejects.toThrow(/already holds a run/);
  });

  it("after a resume equals a run that never stopped, timings aside", async () => {
    const files = nodeRunFiles(join(root, "a"));
    await run(await RunFolder.start(files, ""), 1, 5);
    const whole = await untimed();
    // The process died in step 6, while it wrote a row.
    await files.append("metrics.jsonl", '{"step":6,"rew');
    await files.write("rollouts/step_00006.jsonl.123.tmp", "{");
    await files.write("metrics.jsonl.123.tmp", "{");
    await run(await RunFolder.resume(files, "", 2), 3, 5);
    expect(await untimed()).toEqual(whole);
    expect(await files.list("rollouts")).toEqual([1, 2, 3, 4, 5].map((step) => `step_0000${step}.jsonl`));
    expect((await files.list(".")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("sets aside later checkpoints on resume, so that the newest is of this run", async () => {
    const files = nodeRunFiles(join(root, "a"));
    await run(await RunFolder.start(files, ""), 1, 6);
    await RunFolder.resume(files, "", 2);
    expect(await files.list("checkpoints")).toEqual(["step_00002", "step_00004.superseded", "step_00006.superseded"]);
    expect(await latestCheckpoint(join(root, "a"))).toBe(join(root, "a/checkpoints/step_00002"));
    expect(await files.list("rollouts")).toEqual(["step_00001.jsonl", "step_00002.jsonl"]);
    await run(await RunFolder.resume(files, "", 2), 3, 4);
    await RunFolder.resume(files, "", 2);
    expect(await files.list("checkpoints")).toEqual(["step_00002", "step_00004.superseded", "step_00006.superseded"]);
  });

  it("goes on in a new folder", async () => {
    const files = nodeRunFiles(join(root, "a"));
    await run(await RunFolder.resume(files, "seed: 1\n", 3), 4, 4);
    expect(await untimed()).toEqual([{ step: 4, reward: 0.4 }]);
  });

  it("keeps the newest checkpoints only, when told to", async () => {
    const files = nodeRunFiles(join(root, "a"));
    await run(await RunFolder.start(files, ""), 1, 8, 2);
    expect(await files.list("checkpoints")).toEqual(["step_00006", "step_00008"]);
  });

  it("names the line of a broken row", async () => {
    const files = nodeRunFiles(join(root, "a"));
    await files.append("metrics.jsonl", '{"step":1}\n{"reward":1}\n');
    await expect(RunFolder.resume(files, "", 1)).rejects.toThrow(
      /metrics.jsonl: line 2 is no row of metrics; repair or delete/,
    );
  });
});

describe("metrics", () => {
  it("writes equal rows as equal lines of strict JSON", () => {
    expect(metricsLine({ step: 3, reward: Number.NaN, loss: -0.5, kl: null, "time/rollout": 2 })).toBe(
      '{"step":3,"kl":null,"loss":-0.5,"reward":null,"time/rollout":2}\n',
    );
    expect(metricsLine({ loss: 1, reward: 2, step: 1 })).toBe(metricsLine({ step: 1, reward: 2, loss: 1 }));
  });

  it("tells timings from results", () => {
    const timings = Object.keys(metricHelp).filter(isTiming);
    expect(timings).toEqual(["tools/run_ms", "tools/queue_ms", "step_time", "perf/throughput"]);
    expect(["time/rollout", "perf/throughput", "overlap/tool", "tools/queue_ms"].every(isTiming)).toBe(true);
    expect(deterministicPart({ step: 1, reward: 0.5, step_time: 3, "perf/throughput": 9 })).toEqual({
      step: 1,
      reward: 0.5,
    });
  });
});

describe("readTrainerState", () => {
  it("says what is wrong with a folder that is no checkpoint to resume", async () => {
    const folder = nodeFolder(root);
    await expect(readTrainerState(nodeFolder(join(root, "x")))).rejects.toThrow(/no such folder/);
    await expect(readTrainerState(folder)).rejects.toThrow(/has no trainer_state.json.*--model-name-or-path/);
    await fs.writeFile(join(root, "trainer_state.json"), "{");
    await expect(readTrainerState(folder)).rejects.toThrow(/not JSON/);
    await fs.writeFile(join(root, "trainer_state.json"), '{"global_step":-1,"num_tokens":0,"seed":1}');
    await expect(readTrainerState(folder)).rejects.toThrow(/global_step is wrong/);
    const state = { global_step: 3, optimizer_step: 2, num_tokens: 77, seed: 1 };
    await fs.writeFile(join(root, "trainer_state.json"), trainerStateJson(state));
    expect(await readTrainerState(folder)).toEqual(state);
  });
});
