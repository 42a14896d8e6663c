import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { UserError } from "../../src/base/errors";
import { allOptionSets } from "../../src/cli/command-list";
import { runCli } from "../../src/cli/program";
import { publishedFigures } from "../../src/eval/published";
import { GpuError } from "../../src/gpu/errors";
import type { EvalOptions, SampleOptions } from "../../src/options/evaluate";
import { presetNames, presetOptions } from "../../src/options/presets";
import type { TrainOptions } from "../../src/options/train";
import type { EvalReport } from "../../src/run/context";
import type { evaluate } from "../../src/run/evaluate";
import { substitute } from "./substitute-work";
import { hostileTranscript, playRun, testIo } from "./support";

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-cli-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

async function run(argv: string[], work: Parameters<typeof substitute>[0] = {}, io = testIo()) {
  substitute(work);
  const code = await runCli(argv, io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

/** The options that `train` would run with. */
async function trained(...argv: string[]): Promise<TrainOptions> {
  let seen: TrainOptions | undefined;
  const { err, code } = await run(["train", ...argv], {
    train: async (options, { events }) => {
      seen = options;
      return playRun(events, 1);
    },
  });
  if (seen === undefined) throw new Error(`train did not run, exit ${code}: ${err}`);
  return seen;
}

describe("options", () => {
  it("come from preset, file, flags and overrides, the last one winning", async () => {
    const file = join(root, "run.yaml");
    await fs.writeFile(
      file,
      "preset: nano\nlearning_rate: 1e-3\ngamma: 0.9\nseed: 1\ntrain:\n  seed: 2\neval:\n  seed: 3\n",
    );
    expect(await trained("--config", file)).toMatchObject({ learningRate: 1e-3, gamma: 0.9, seed: 2, maxSteps: 40 });
    expect(await trained("--config", file, "--gamma", "0.8", "--seed", "4", "--train.seed", "5")).toMatchObject({
      gamma: 0.8,
      seed: 5,
    });
    expect(
      await trained("--preset", "nano", "--train.delta=3", "--train.gradient-checkpointing", "--train.min_lr_rate=0.5"),
    ).toMatchObject({
      delta: 3,
      gradientCheckpointing: true,
      minLrRate: 0.5,
    });
    expect(await trained("--preset", "nano", "--no-log-completions", "--max-grad-norm", "none")).toMatchObject({
      logCompletions: false,
      maxGradNorm: null,
    });
  });

  it("come from TOML and JSON too", async () => {
    await fs.writeFile(join(root, "a.toml"), 'preset = "nano"\n[train]\nlearning_rate = 2e-4\n');
    await fs.writeFile(join(root, "a.json"), '{"preset":"nano","numGenerations":4}');
    expect((await trained("--config", join(root, "a.toml"))).learningRate).toBe(2e-4);
    expect((await trained("--config", join(root, "a.json"))).numGenerations).toBe(4);
  });

  it("are printed by --dry-run as a file that gives them again", async () => {
    const { out, code } = await run(["train", "--preset", "nano", "--seed", "7", "--dry-run"]);
    expect(code).toBe(0);
    await fs.writeFile(join(root, "again.yaml"), out);
    expect(await trained("--config", join(root, "again.yaml"))).toEqual(
      await trained("--preset", "nano", "--seed", "7"),
    );
    const json = await run(["train", "--preset", "nano", "--seed", "7", "--dry-run", "--json"]);
    expect(json.out.split("\n").length).toBe(2);
    expect(JSON.parse(json.out)).toEqual(parse(out));
  });
});

describe("a config file", () => {
  const write = async (text: string) => {
    await fs.writeFile(join(root, "run.yaml"), text);
    return join(root, "run.yaml");
  };
  /** The options that a command would run with. */
  const resolved = async (...argv: string[]) => {
    const { code, out, err } = await run([...argv, "--dry-run", "--json"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    return JSON.parse(out);
  };

  it("has a section, and the command line overrides, for every command with options", async () => {
    const sets = (await allOptionSets()).map(({ name }) => name);
    expect(sets).toEqual(["train", "pretrain", "sft", "dpo", "sample", "eval", "plan"]);
    const file = await write("preset: nano\nplan:\n  concurrency: 3\ntrain:\n  concurrency: 4\n");
    expect(await resolved("plan", "--config", file)).toMatchObject({ concurrency: 3 });
    expect(await resolved("plan", "--config", file, "--plan.concurrency", "2")).toMatchObject({ concurrency: 2 });
  });

  it.each(presetNames)("of train --preset %s is one of plan, sample and eval too", async (preset) => {
    const { modelNameOrPath, dataset } = presetOptions(preset);
    const needed = [
      ...(modelNameOrPath === undefined ? ["--model-name-or-path", "m"] : []),
      ...(dataset === undefined ? ["--dataset", "gsm8k"] : []),
    ];
    const file = await write((await run(["train", "--preset", preset, "--seed", "7", ...needed, "--dry-run"])).out);
    const train = await resolved("train", "--config", file);
    for (const command of ["plan", "sample", "eval"]) {
      const options = await resolved(command, ...(command === "sample" ? ["1+1"] : []), "--config", file);
      expect(options).toMatchObject({ preset });
      const shared = Object.keys(options).filter((key) => key in train && !["dataset", "tools"].includes(key));
      for (const key of shared) expect([options[key]].flat(), key).toEqual([train[key]].flat());
    }
  });

  it("is refused for a key that is no option of any command, or that its command says no to", async () => {
    const refused = async (text: string) => (await run(["train", "--config", await write(text)])).err;
    expect(await refused("preset: nano\nendpoint_retrys: 1\n")).toMatch(/unknown option endpoint_retrys of train/);
    expect(await refused("preset: nano\ntrain:\n  endpoint_retries: 1\n")).toMatch(/unknown option endpoint_retries/);
    expect(await refused("preset: nano\ntop_p: 0.9\n")).toMatch(/unknown option top_p of train: it cuts/);
  });
});

describe("mistakes", () => {
  it.each<[string[], RegExp]>([
    [["trian"], /^error: unknown command trian; the nearest one is train\n$/],
    [["bench", "kernel"], /^error: unknown command kernel; the nearest one is kernels\n$/],
    [
      ["train", "--learnin-rate", "3"],
      /^error: unknown option --learnin-rate of zerotir train; the nearest one is --learning-rate\n$/,
    ],
    [
      ["bench", "kernels", "--shapes", "gpt-5", "--compile-only"],
      /^error: --shapes: gpt-5 is not a known shape; known are qwen2.5-0.5b, .*nano\n$/,
    ],
    [["bench", "kernels", "--compile-only"], /^error: --shapes and --compile-only go together: .*\n$/],
    [["eval", "--zzzzzzzz"], /^error: unknown option --zzzzzzzz of zerotir eval; the nearest one is --/],
    [["train"], /^error: train needs --model-name-or-path: .*--preset/],
    [
      ["train", "--preset", "nano", "--gamma", "x"],
      /^error: --gamma is "x", expected a number of at least 0 and at most 1\n$/,
    ],
    [
      ["train", "--preset", "nano", "--gamma"],
      /^error: option '--gamma <n>' argument missing \(see zerotir train --help\)\n$/,
    ],
    [["train", "--preset", "nanno"], /^error: preset "nanno" does not exist; the nearest one is nano/],
    [["train", "--preset", "nano", "extra"], /^error: too many arguments for 'train'/],
    [["train", "--preset", "nano", "--train.gama=1"], /unknown option --gama of train; the nearest one is --gamma\n$/],
    [["train", "--preset", "nano", "--train.gamma"], /^error: --gamma is "", expected/],
    [
      ["train", "--preset", "nano", "--eval.gamma", "1"],
      /^error: --eval.gamma does not belong to train; use --train.gamma\n$/,
    ],
    [
      ["train", "--preset", "nano", "--top-p", "0.9", "--dry-run"],
      /^error: command line: unknown option --top-p of train: it cuts the distribution .*use it in sample or eval\n$/,
    ],
    [
      ["sft", "--model-name-or-path", "nano-base", "--dataset", "nano", "--dtype", "int8", "--dry-run"],
      /^error: --dtype is int8, whose weights cannot be trained; add --use-peft/,
    ],
    [["plan", "--preset", "nano", "--dtype", "int4"], /^error: --dtype is int4, whose weights cannot be trained/],
    [["plan", "--preset", "nano", "--gpu-memory", "much", "--dry-run"], /^error: "much" is no amount of memory/],
    [["train", "--config", "/none.yaml"], /^error: --config \/none.yaml: no such file\n$/],
    [["train", "--config", "run.txt"], /^error: --config run.txt: expected a file that ends in .yaml/],
    [["tool", "run"], /^error: tool run needs either a file/],
    [["tool", "run", "--code", "1", "--timeout", "0"], /Expected a number from 0.001 to 3600/],
    [["doctor", "--toggles", "fats"], /Allowed choices are safe, fast/],
  ])("in %j are one line, and exit code 2", async (argv, message) => {
    const { code, out, err } = await run(argv);
    expect(err).toMatch(message);
    expect({ code, out, lines: err.split("\n").length }).toEqual({ code: 2, out: "", lines: 2 });
  });

  it.each([
    ["a.yaml", "learning_rat: 1\n", /a.yaml: unknown option learning_rat of train; the nearest one is learning_rate/],
    ["b.yaml", "gamma: [1\n", /b.yaml: .* at line 2/],
    ["c.toml", "x = \n", /c.toml: /],
    ["d.json", "{", /d.json: /],
    ["e.json", "[1]", /e.json: expected option names and their values/],
    ["f.yaml", "trian:\n  seed: 1\n", /f.yaml: trian is no section; the nearest one is train/],
    ["g.yaml", "preset: nano\ngamma: 2\n", /g.yaml: gamma is 2, expected/],
  ])("in a config file %s name file and key", async (name, text, message) => {
    await fs.writeFile(join(root, name), text);
    const { code, err } = await run(["train", "--config", join(root, name)]);
    expect(err).toMatch(message);
    expect({ code, lines: err.split("\n").length }).toEqual({ code: 2, lines: 2 });
  });

  it("of the user have no stack, faults of the program have one", async () => {
    const user = await run(["train", "--preset", "nano"], {
      train: async () => {
        throw new UserError("m/config.json: not\n\u001b[2JJSON");
      },
    });
    expect(user).toMatchObject({ code: 2, err: "error: m/config.json: not JSON\n" });
    const fault = await run(["train", "--preset", "nano"], {
      train: async () => {
        throw new TypeError("x is undefined");
      },
    });
    expect(fault.code).toBe(1);
    expect(fault.err).toMatch(/^error: TypeError: x is undefined\n +at /);
    const lost = await run(["train", "--preset", "nano"], {
      train: async () => {
        throw new GpuError("device-lost", "the device was lost");
      },
    });
    expect(lost).toMatchObject({ code: 1, err: "error: the device was lost\n" });
  });
});

describe("help", () => {
  it.each([
    [["--help"]],
    [["train", "--help"]],
    [["pretrain", "-h"]],
    [["sft", "--help"]],
    [["dpo", "--help"]],
    [["sample", "--help"]],
    [["eval", "--help"]],
    [["doctor", "--help"]],
    [["bench", "kernels", "--help"]],
    [["tool", "run", "--help"]],
    [["tool", "repl", "--help"]],
    [["tool", "bench", "--help"]],
  ])("of %j has examples and goes to standard output", async (argv) => {
    const { code, out, err } = await run(argv);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/\nExamples:\n {2}zerotir /);
    if (argv.length > 1) expect(out).toContain("--json");
  });

  it("is shown for want of a command, as a mistake", async () => {
    expect(await run([])).toMatchObject({ code: 2, out: "", err: expect.stringContaining("Commands:") });
    expect(await run(["bench"])).toMatchObject({ code: 2, out: "", err: expect.stringContaining("kernels") });
  });

  it("and the version can be asked for", async () => {
    expect(await run(["--version"])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe("--json", () => {
  const jsonLines = (text: string): Record<string, unknown>[] => {
    expect(text.endsWith("\n")).toBe(true);
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  };

  it("of train puts JSON lines on standard output, and what people read on standard error", async () => {
    const { code, out, err } = await run(["train", "--preset", "nano", "--json"], {
      train: async (_, { events, announce }) => {
        announce("a fallback adapter");
        return playRun(events, 6);
      },
    });
    const lines = jsonLines(out);
    expect(code).toBe(0);
    expect(lines.filter(({ event }) => event === "step").map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(lines.filter(({ event }) => event === "phase").length).toBe(12);
    expect(lines.find(({ event, step }) => event === "step" && step === 2)).toMatchObject({ loss: null });
    expect(lines.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["plan", "notice", "sample", "checkpoint", "finish"]),
    );
    expect(lines.find(({ event }) => event === "sample")).toEqual({ event: "sample", ...hostileTranscript });
    expect(err).toContain("step 6/6  accuracy 97.8%");
  });

  it("reports an error on both", async () => {
    const { code, out, err } = await run(["eval", "--json"]);
    expect(jsonLines(out)).toEqual([
      { event: "error", message: expect.stringMatching(/^eval needs --model-name-or-path/) },
    ]);
    expect(err).toMatch(/^error: eval needs/);
    expect(code).toBe(2);
  });

  it("of sample and eval holds what they found", async () => {
    let asked: SampleOptions | undefined;
    const sampled = await run(["sample", "--preset", "nano", "1+1", "--prompt", "2+2", "3+3", "--json"], {
      sample: async (options, { onSample, announce }) => {
        asked = options;
        announce("a fallback adapter");
        onSample({ ...hostileTranscript, ids: [1], text: "x", logprobs: [-0.5] });
      },
    });
    expect(asked?.prompt).toEqual(["2+2", "1+1", "3+3"]);
    expect(jsonLines(sampled.out)).toEqual([
      { event: "sample", ...hostileTranscript, ids: [1], text: "x", logprobs: [-0.5] },
    ]);
    expect(sampled.err).toBe("a fallback adapter\n");

    let evaluated: EvalOptions | undefined;
    const runEval: typeof evaluate = async (options, { onProgress }) => {
      evaluated = options;
      onProgress(1, 2, "m on nano");
      return evalReport;
    };
    const argv = ["eval", "--preset", "nano", "--model-name-or-path", "a,b", "nano", "nano-mul", "--dataset", "x"];
    expect(jsonLines((await run([...argv, "--greedy", "--json"], { evaluate: runEval })).out)).toEqual([
      { event: "eval", ...evalReport },
    ]);
    expect(evaluated).toMatchObject({ greedy: true, dataset: ["x", "nano", "nano-mul"], modelNameOrPath: ["a", "b"] });
    const text = await run(["eval", "--preset", "nano", "--max-tool-calls", "0,2"], { evaluate: runEval });
    expect(evaluated).toMatchObject({ maxToolCalls: [0, 2], dataset: ["nano"], modelNameOrPath: ["nano-base"] });
    expect(text.out).toMatch(/^aime25\n/);
    expect(text.out).toMatch(/a model of a lo… +50\.0% +33\.3-66\.7 +75\.0% +50\.0% +100\.0% +0\.0% +12 345\n/);
    expect(text.out).toMatch(
      /pass rates +none +between +all +influence +0 to 1\n +a model of a lo… +0\.0% +50\.0% +50\.0% +0\.250 +▁▁█▁█\n/,
    );
    expect(text.out).toMatch(/ZTRL-0727-7B +29\.99% +avg@32/);
    expect(Math.max(...text.out.split("\n").map((line) => line.length))).toBeLessThan(80);
  });

  it("of eval: what cannot be evaluated", async () => {
    const mistake = async (...argv: string[]) => (await run(["eval", "--preset", "nano", ...argv])).err;
    expect(await mistake("--endpoint", "http://x/v1")).toMatch(/no model of it is named; add --endpoint-model/);
    expect(await mistake("--endpoint-model", "m")).toMatch(/there is no server to ask; add --endpoint/);
    expect(await mistake("--max-tool-calls", "1,x")).toMatch(
      /expected whole numbers of at least 0, separated by commas/,
    );
    expect(await mistake("--max-tool-calls", "1,1")).toMatch(/each is to be named once/);
    expect(await mistake("--greedy", "--num-generations", "4")).toMatch(/leave one of the two out/);
  });
});

const interval = [1 / 3, 2 / 3] as const;
const evalReport: EvalReport = {
  finished: true,
  generations: 4,
  greedy: false,
  seed: 1,
  samples: 8,
  resumed: 2,
  cells: [
    {
      model: "a",
      label: "a model of a long name that has no end",
      benchmark: "aime25",
      maxToolCalls: 1,
      figures: {
        questions: 2,
        generations: 4,
        right: 4,
        average: { value: 0.5, interval, sampleInterval: interval },
        pass: [{ k: 4, value: 0.75, interval }],
        majority: { value: 0.5, interval },
        passRates: { histogram: [0, 0, 1, 0, 1], atZero: 0, atOne: 0.5, between: 0.5, influence: 0.25 },
        codeRatio: { value: 1, interval },
        codeExecuted: 1,
        callsPerAnswer: 1,
        failedCalls: null,
        cutByLength: 0,
        modelTokens: 12345,
      },
    },
  ],
  published: publishedFigures.filter(({ benchmark }) => benchmark === "aime25"),
  outputDir: null,
  seconds: 3,
};

describe("Ctrl-C", () => {
  it("reaches the command as a signal; a run that it stops fails the shell's &&", async () => {
    const io = testIo();
    const { code, out } = await run(
      ["train", "--preset", "nano"],
      {
        train: (_, { signal, events }) =>
          new Promise((resolve) => {
            signal.addEventListener("abort", () => resolve(playRun(events, 3, "interrupted")));
            io.stop();
          }),
      },
      io,
    );
    expect(code).toBe(1);
    expect(out).toContain("Stopped after 3 steps");
    expect(out).toContain("How to go on");
  });
});
