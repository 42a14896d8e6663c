/** What sft, dpo and pretrain share: how models are fetched, how a run is stopped, and what is closed. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { GpuContext } from "../../src/gpu/context";
import { dpoOptions, pretrainOptions, sftOptions } from "../../src/options/supervised";
import { type PhaseDetail, silentEvents, type TrainEvents } from "../../src/session/events";
import type { ModelFetching, TrainingHost } from "../../src/session/host";
import { runDpo } from "../../src/supervised/dpo";
import { runPretraining } from "../../src/supervised/pretrain";
import { runSft } from "../../src/supervised/sft";
import { modelContext } from "../support/reference/models";
import { prepare, tinyHost } from "../train/tiny-run";

let root: string;
let gpu: GpuContext;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-supervised-"));
  await prepare(root);
  const rows = Array.from({ length: 40 }, (_, i) => ({ prompt: `${i}+1`, text: `${i}`, chosen: "a", rejected: "b" }));
  const lines = rows.map((row) => JSON.stringify({ ...row, completion: "a" }));
  await fs.writeFile(join(root, "rows.jsonl"), lines.join("\n"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  gpu = await modelContext();
});

const COMMANDS = ["sft", "dpo", "pretrain"] as const;

/** One step of a command on the tiny model, into a folder of its own. */
async function run(
  command: (typeof COMMANDS)[number],
  name: string,
  {
    host = {},
    events = {},
    signal,
    ...values
  }: { host?: Partial<TrainingHost>; events?: Partial<TrainEvents>; signal?: AbortSignal; [option: string]: unknown },
) {
  const layer = {
    source: "the test",
    spelling: "file" as const,
    values: {
      dataset: join(root, "rows.jsonl"),
      modelNameOrPath: join(root, "model"),
      maxSteps: 1,
      maxLength: 32,
      evalSamples: 2,
      ...values,
    },
  };
  const outputDir = join(root, `${command} ${name}`);
  const whole = { ...(await tinyHost({ gpu })), ...host };
  const watching = { ...silentEvents, ...events };
  if (command === "pretrain") {
    const options = pretrainOptions.resolve([layer]);
    return runPretraining({ ...options, outputDir }, pretrainOptions.toYaml(options), whole, watching, signal);
  }
  if (command === "sft") {
    const options = sftOptions.resolve([layer]);
    return runSft({ ...options, outputDir }, sftOptions.toYaml(options), whole, watching, signal);
  }
  const options = dpoOptions.resolve([layer]);
  return runDpo({ ...options, outputDir }, dpoOptions.toYaml(options), whole, watching, signal);
}

function bytes(): number {
  return [...gpu.allocator.bytesByLabel().values()].reduce((sum, each) => sum + each, 0);
}

describe.each(COMMANDS)("%s", (command) => {
  test("fetches its model as the options say, shows how far that is, and stops it with the run", async () => {
    const { modelFolder } = await tinyHost({ gpu });
    const asked: (ModelFetching | undefined)[] = [];
    const shown: PhaseDetail[] = [];
    const { signal } = new AbortController();
    await run(command, "fetched", {
      offline: true,
      signal,
      events: { onPhase: (_, detail) => void shown.push(detail) },
      host: {
        modelFolder(name, fetching) {
          asked.push(fetching);
          fetching?.onProgress?.("model.safetensors", 1.5e6, 3e6);
          return modelFolder(name, fetching);
        },
      },
    });
    expect(asked.length).toBeGreaterThan(0);
    for (const fetching of asked) expect(fetching).toMatchObject({ offline: true, signal });
    expect(shown).toContainEqual({ step: 0, done: 1.5, total: 3, unit: "MB", waitingFor: "model.safetensors" });
  });

  test("stopped in the evaluation before the first step, it ends there", async () => {
    const stop = new AbortController();
    const summary = await run(command, "stopped", {
      signal: stop.signal,
      events: { onPhase: (phase) => phase === "evaluate" && stop.abort() },
    });
    expect(summary).toMatchObject({ outcome: "interrupted", step: 0, table: [] });
  });

  test("stopped in its last but one step, it saves and is not evaluated again", async () => {
    const stop = new AbortController();
    const summary = await run(command, "halfway", {
      maxSteps: 2,
      signal: stop.signal,
      events: { onStep: () => stop.abort() },
    });
    expect(summary).toMatchObject({ outcome: "interrupted", step: 1 });
    expect(summary.checkpoint).toMatch(/step_00001$/);
    expect(summary.table.length).toBeGreaterThan(0);
    for (const row of summary.table) expect(row).toMatchObject({ before: expect.any(Number), after: null });
  });

  test("leaves nothing on the GPU, be it done or refused half-way through its opening", async () => {
    const before = bytes();
    await run(command, "done", {});
    expect(bytes()).toBe(before);
    await expect(run(command, "refused", { dataset: join(root, "missing.jsonl") })).rejects.toThrow();
    expect(bytes()).toBe(before);
    await expect(
      run(command, "too many steps", { dataset: join(root, "rows.jsonl"), host: { runFiles: full } }),
    ).rejects.toThrow("the disk is full");
    expect(bytes()).toBe(before);
  });
});

function full(): never {
  throw new Error("the disk is full");
}
