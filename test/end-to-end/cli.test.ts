/** The program as it is installed: what it prints where, how it ends, and what is left after an interrupt or a kill. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { TINY, tinyTensors, writeTinyModel } from "../train/tiny-run";
import { type JsonLine, jsonLines, type Settings, zerotir } from "./command-line";

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-cli-"));
  await writeTinyModel(join(root, "model"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const run = (argv: readonly string[], settings: Partial<Settings> = {}) => zerotir(argv, { cwd: root, ...settings });

const LENGTHS = ["--max-prompt-length", "24", "--max-completion-length", "32", "--max-tool-response-tokens", "16"];

function train(out: string, ...more: string[]): string[] {
  return [
    ...["train", "--preset", "nano", "--model-name-or-path", "model", "--output-dir", out, "--seed", "3"],
    ...["--prompts-per-step", "2", "--num-generations", "4", "--eval-samples", "2", "--json"],
    ...LENGTHS,
    ...more,
  ];
}

const events = (lines: readonly JsonLine[], event: string) => lines.filter((line) => line.event === event);

async function metricSteps(out: string): Promise<number[]> {
  const text = await fs.readFile(join(root, out, "metrics.jsonl"), "utf8");
  return jsonLines(text).map(({ step }) => Number(step));
}

/** The mistake was the user's: one sentence, no trace, exit code 2. */
async function mistake(argv: readonly string[], message: RegExp, settings: Partial<Settings> = {}): Promise<void> {
  const { code, stdout, stderr } = await run(argv, settings);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(2);
  if (argv.includes("--json")) {
    const [line] = jsonLines(stdout).slice(-1);
    expect(line).toMatchObject({ event: "error", message: expect.stringMatching(message) });
  } else expect(stdout).toBe("");
}

test("bench kernels --compile-only: each program of the shapes once, as lines of JSON", async () => {
  const shapes = ["--shapes", "nano, Qwen2.5-0.5B", "--compile-only"];
  const { code, stdout } = await run(["bench", "kernels", ...shapes, "--filter", "adamw", "--json"]);
  expect(code).toBe(0);
  expect(jsonLines(stdout)).toMatchObject([
    { program: "adamw()", shapes: ["nano", "qwen2.5-0.5b"], phases: ["optimizer"] },
    { program: "adamw_8bit()", shapes: ["nano", "qwen2.5-0.5b"], phases: ["optimizer"] },
  ]);
});

describe("train", () => {
  test("--json: lines of JSON on standard output and nothing else, text for people on standard error", async () => {
    const { code, stdout, stderr } = await run(train("two", "--max-steps", "2"));
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const lines = jsonLines(stdout);
    expect(lines.every(({ event }) => typeof event === "string")).toBe(true);
    expect(events(lines, "plan")).toHaveLength(1);
    expect(events(lines, "step").map(({ step }) => step)).toEqual([1, 2]);
    for (const line of events(lines, "step")) {
      expect(line["sampling/sampling_logp_difference/max"]).toBe(0);
      expect(line["tools/call_frequency"]).toBeTypeOf("number");
    }
    expect(events(lines, "finish")[0]).toMatchObject({
      outcome: "finished",
      step: 2,
      report: join("two", "report.html"),
    });
    const report = await fs.readFile(join(root, "two/report.html"), "utf8");
    for (const shown of ["finished after 2 steps", "before training", "after step 2", 'data-step="2"'])
      expect(report).toContain(shown);
    expect(stderr).not.toContain('"event"');
    expect(stderr.length).toBeGreaterThan(50);
    expect((await fs.readdir(join(root, "two"))).sort()).toEqual([
      "attempts.jsonl",
      "checkpoints",
      "config.resolved.yaml",
      "evaluation.jsonl",
      "evaluation.md",
      "metrics.jsonl",
      "report.html",
      "rollouts",
    ]);
    // Python ran for real.
    const rollouts = await fs.readFile(join(root, "two/rollouts/step_00001.jsonl"), "utf8");
    const tools = jsonLines(rollouts).flatMap((line) => (Array.isArray(line.tools) ? line.tools : []));
    expect(tools.some(({ status, stdout: said }) => status === "ok" && /^\d+\n$/.test(said))).toBe(true);
  });

  test("Ctrl-C saves, exits with 1, and the command that it names goes on", async () => {
    const { code, stdout, stderr } = await run(train("stopped", "--max-steps", "400", "--save-steps", "0"), {
      onLine: (line, child) => {
        if (line.includes('"event":"step"')) child.kill("SIGINT");
      },
    });
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(stderr).toMatch(/Stopping in order/);
    const [finish] = events(jsonLines(stdout), "finish");
    expect(finish).toMatchObject({ outcome: "interrupted" });
    const step = Number(finish?.step);
    expect(step).toBeGreaterThan(0);
    const next = JSON.stringify(finish?.next);
    const command = /npx zerotir ([^"\\]*--resume-from-checkpoint latest)/.exec(next)?.[1];
    expect(command).toBeDefined();
    const resumed = await run([...(command ?? "").split(" "), "--max-steps", String(step + 1), "--json"]);
    expect({ code: resumed.code, stderr: resumed.stderr }).toMatchObject({ code: 0 });
    expect(events(jsonLines(resumed.stdout), "step").map((line) => line.step)).toEqual([step + 1]);
    expect(await metricSteps("stopped")).toEqual(Array.from({ length: step + 1 }, (_, i) => i + 1));
  });

  test("killed in the middle: the newest whole checkpoint goes on", async () => {
    const killed = await run(train("killed", "--max-steps", "400", "--save-steps", "1"), {
      onLine: (line, child) => {
        // While the third step's checkpoint is being written, or just before.
        if (line.includes('"phase":"save","step":3')) child.kill("SIGKILL");
      },
    });
    expect(killed.code).toBeNull();
    const { code, stdout, stderr } = await run(
      train("killed", "--max-steps", "5", "--resume-from-checkpoint", "latest", "--no-html-report"),
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const steps = events(jsonLines(stdout), "step").map(({ step }) => Number(step));
    expect(steps.at(-1)).toBe(5);
    expect(steps[0]).toBeGreaterThanOrEqual(3);
    expect(await metricSteps("killed")).toEqual([1, 2, 3, 4, 5]);
    expect(await fs.readdir(join(root, "killed"))).not.toContain("report.html");
    const attempts = jsonLines(await fs.readFile(join(root, "killed/attempts.jsonl"), "utf8"));
    expect(attempts.map(({ event }) => event)).toEqual(["start", "start", "end"]);
    expect((await fs.readdir(join(root, "killed/checkpoints"))).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("--dry-run prints options that --config reads back", async () => {
    const argv = train("dry", "--learning-rate", "2e-4", "--dry-run").filter((word) => word !== "--json");
    const { code, stdout } = await run(argv);
    expect(code).toBe(0);
    expect(parse(stdout)).toMatchObject({ learning_rate: 2e-4, num_generations: 4, preset: "nano" });
    await fs.writeFile(join(root, "dry.yaml"), stdout);
    const again = await run(["train", "--config", "dry.yaml", "--dry-run"]);
    expect(again.stdout).toBe(stdout);
    await expect(fs.access(join(root, "dry"))).rejects.toThrow();
  });

  test("mistakes", async () => {
    await mistake(train("x", "--lerning-rate", "1"), /unknown option --lerning-rate.*nearest one is --learning-rate/);
    await mistake(
      train("x", "--model-name-or-path", "no/such/model"),
      /no\/such\/model: no such folder; expected a checkpoint/,
    );
    await mistake(train("two"), /two already holds a run/);
    await mistake(train("y", "--resume-from-checkpoint", "latest"), /y: holds no complete checkpoint/);
    await mistake(train("z", "--adapter", "nonsense"), /nonsense/);
    await mistake(train("z"), /nonsense/, { env: { ZEROTIR_ADAPTER: "nonsense" } });
  });
});

describe("a damaged model", () => {
  const copy = async (name: string): Promise<string> => {
    await fs.cp(join(root, "model"), join(root, name), { recursive: true });
    return join(root, name, "model.safetensors");
  };

  test("cut short", async () => {
    const file = await copy("cut");
    await fs.truncate(file, 1000);
    await mistake(train("c", "--model-name-or-path", "cut"), /cut\/model\.safetensors/);
  });

  test("of another shape than its config says", async () => {
    await copy("foreign");
    const config = join(root, "foreign/config.json");
    const json: unknown = JSON.parse(await fs.readFile(config, "utf8"));
    await fs.writeFile(config, JSON.stringify({ ...Object(json), intermediate_size: TINY.intermediateSize + 4 }));
    await mistake(
      train("f", "--model-name-or-path", "foreign"),
      /foreign\/model\.safetensors: tensor model\.layers\.0\.mlp\.\w+\.weight has shape/,
    );
  });

  test("with a NaN", async () => {
    const tensors = tinyTensors();
    tensors[3]?.data.fill(Number.NaN, 0, 1);
    await writeTinyModel(join(root, "nan"), tensors);
    await mistake(
      train("n", "--model-name-or-path", "nan"),
      /nan\/model\.safetensors: tensor \S+ holds NaN at index 0/,
    );
  });
});

describe("other commands", () => {
  const model = ["--preset", "nano", "--model-name-or-path", "model", ...LENGTHS];

  test("sample: the answer with what Python said", async () => {
    const { code, stdout, stderr } = await run(["sample", ...model, "--json", "--num-generations", "8", "5+5"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const samples = events(jsonLines(stdout), "sample");
    expect(samples).toHaveLength(8);
    expect(samples.every((sample) => !("reward" in sample) && !("answer" in sample))).toBe(true);
    expect(JSON.stringify(samples)).toContain('"kind":"observation"');
    const text = await run(["sample", ...model, "5+5"]);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain("5+5");
  });

  test("eval: shares between 0 and 1, equal in two runs, a line per trajectory", async () => {
    await fs.writeFile(
      join(root, "rows.jsonl"),
      ["1+1", "3-1", "2+1"].map((prompt) => JSON.stringify({ prompt, answer: "2" })).join("\n"),
    );
    const argv = ["eval", ...model, "--dataset", "rows.jsonl", "--num-generations", "4", "--json"];
    const first = await run([...argv, "--output-dir", "evaluated"]);
    expect({ code: first.code, stderr: first.stderr }).toMatchObject({ code: 0 });
    expect(jsonLines(first.stdout)).toHaveLength(1);
    const [report] = jsonLines(first.stdout);
    expect(report).toMatchObject({ event: "eval", finished: true, samples: 12, generations: 4 });
    expect((await fs.readdir(join(root, "evaluated"))).sort()).toEqual([
      "eval.json",
      "report.json",
      "samples.jsonl",
      "table.md",
    ]);
    expect(jsonLines(await fs.readFile(join(root, "evaluated/samples.jsonl"), "utf8"))).toHaveLength(12);
    const [again] = jsonLines((await run(argv)).stdout);
    expect(again?.cells).toEqual(report?.cells);
    await mistake(["eval", ...model, "--dataset", "nowhere.jsonl"], /nowhere\.jsonl: no such file/);
  });

  test("eval, killed in the middle, goes on and ends with the files of one that was not", async () => {
    const argv = (out: string) => [
      ...["eval", ...model, "--num-generations", "8", "--eval-samples", "24", "--concurrency", "16"],
      ...["nano", "nano-mul", "--output-dir", out],
    ];
    const files = (out: string) =>
      Promise.all(
        ["samples.jsonl", "table.md", "report.json"].map((name) => fs.readFile(join(root, out, name), "utf8")),
      );
    expect((await run(argv("unbroken"))).code).toBe(0);
    const samples = join(root, "broken/samples.jsonl");
    let killed = false;
    const first = await run(argv("broken"), {
      onStart: (child) => {
        const timer = setInterval(async () => {
          const text = await fs.readFile(samples, "utf8").catch(() => "");
          if (killed || text.split("\n").length < 20) return;
          killed = true;
          clearInterval(timer);
          child.kill("SIGKILL");
        }, 5);
        child.on("close", () => clearInterval(timer));
      },
    });
    expect(first.code).toBeNull();
    const left = (await fs.readFile(samples, "utf8")).split("\n").length - 1;
    expect(left).toBeLessThan(24 * 8 * 2);
    const resumed = await run([...argv("broken"), "--json"]);
    expect({ code: resumed.code, stderr: resumed.stderr }).toMatchObject({ code: 0 });
    expect(jsonLines(resumed.stdout)).toEqual([
      expect.objectContaining({ resumed: left, samples: 24 * 8 * 2, finished: true }),
    ]);
    expect(await files("broken")).toEqual(await files("unbroken"));
    await mistake([...argv("broken"), "--seed", "9"], /broken: was begun with seed 42, and this call has 9/);
  });

  test("pretrain", async () => {
    await fs.writeFile(join(root, "corpus.txt"), "1+1 is 2\n\n2+2 is 4\n\n3+3 is 6\n");
    const { code, stdout, stderr } = await run([
      ...["pretrain", "--dataset", "corpus.txt", "--model-name-or-path", "model", "--max-length", "16", "--json"],
      ...["--tokens-per-step", "32", "--max-steps", "2", "--output-dir", "pretrained"],
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(events(jsonLines(stdout), "step").map(({ step }) => step)).toEqual([1, 2]);
  });

  test.each([
    ["sft", { prompt: "User: 1+1\nAssistant:", completion: "\\boxed{2}" }],
    ["dpo", { prompt: "User: 1+1\nAssistant:", chosen: "\\boxed{2}", rejected: "\\boxed{3}" }],
  ])("%s, into TensorBoard too", async (command, row) => {
    await fs.writeFile(join(root, `${command}.jsonl`), `${JSON.stringify(row)}\n`.repeat(2));
    const argv = [command, "--model-name-or-path", "model", "--dataset", `${command}.jsonl`, "--output-dir", command];
    const small = ["--max-length", "32", "--max-steps", "2", "--eval-samples", "0", "--report-to", "tensorboard"];
    const { code, stderr } = await run([...argv, ...small]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await metricSteps(command)).toEqual([1, 2]);
    const [file = ""] = (await fs.readdir(join(root, command))).filter((name) => name.startsWith("events.out."));
    const bytes = await fs.readFile(join(root, command, file), "latin1");
    expect(bytes.split("grad_norm")).toHaveLength(1 + 2);
  });

  test("tool run", async () => {
    const { code, stdout } = await run(["tool", "run", "--code", "print(47*86+5)", "--json"]);
    expect(code).toBe(0);
    expect(jsonLines(stdout)).toEqual([expect.objectContaining({ status: "ok", stdout: "4047\n" })]);
    const failed = await run(["tool", "run", "-"], { input: "print(1/0)" });
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain("ZeroDivisionError");
  });

  test("doctor --json: one object", async () => {
    const { code, stdout } = await run(["doctor", "--json"]);
    expect(code).toBe(0);
    expect(jsonLines(stdout)).toHaveLength(1);
  });

  test("a word that is no command", async () => {
    await mistake(["trian"], /unknown command trian; the nearest one is train/);
  });
});
