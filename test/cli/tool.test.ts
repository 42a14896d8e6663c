import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCli } from "../../src/cli/program";
import { readCases } from "../../src/run/tool";
import { DEFAULT_LIMITS, type PythonCall } from "../../src/sandbox/engine";
import { type EngineRequest, openNodeEngine } from "../../src/sandbox/node/open-engine";
import { createMockEngine, type MockAnswer } from "../support/mock-engine";
import { testIo } from "./support";

type OpenEngine = typeof import("../../src/sandbox/node/open-engine");

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-tool-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

const { openNodeEngine: openRealEngine } = await vi.importActual<OpenEngine>("../../src/sandbox/node/open-engine");
vi.mock("../../src/sandbox/node/open-engine");
vi.mock("node:readline");

/** Runs the command with an engine that answers so; tells what was asked and whether the engine was closed. */
async function tool(argv: string[], answer: (call: PythonCall) => MockAnswer | Promise<MockAnswer> = () => "") {
  const calls: PythonCall[] = [];
  const requests: EngineRequest[] = [];
  let closed = 0;
  const io = testIo();
  vi.mocked(openNodeEngine).mockImplementation(async (request) => {
    requests.push(request);
    const engine = createMockEngine((call) => {
      calls.push(call);
      return answer(call);
    });
    const close = async () => {
      closed++;
      await engine.close();
    };
    return { ...engine, close };
  });
  const code = await runCli(["tool", ...argv], io);
  return { code, out: io.stdout.text, err: io.stderr.text, calls, requests, closed };
}

const jsonLines = (text: string): unknown[] => {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
};

describe("tool run", () => {
  it("of one program gives one object", async () => {
    const { out, err, code, closed, requests, calls } = await tool(
      ["run", "--code", "print(4)", "--timeout", "2", "--memory-mb", "64", "--json"],
      () => ({ stdout: "\u001b[2J4\n", ms: 12 }),
    );
    expect(jsonLines(out)).toEqual([
      {
        status: "ok",
        stdout: "\u001b[2J4\n",
        stderr: "",
        observation: "\n```output\n4\n```\n\n\n",
        milliseconds: 12,
        truncated: false,
      },
    ]);
    expect({ err, code, closed }).toEqual({ err: "", code: 0, closed: 1 });
    expect(requests).toEqual([{ engine: "wasi", url: null, memoryMb: 64, packages: null, workerCount: 1 }]);
    expect(calls).toEqual([{ code: "print(4)", timeoutMs: 2000, memoryMb: 64, maxOutputBytes: 65_536, seed: "0" }]);
  });

  it("shows what a model reads, and fails when the program does", async () => {
    const { out, err, code } = await tool(["run", "--code", "1/0"], () => ({
      status: "error",
      stderr: "\u001b[2Jno\n",
    }));
    expect({ out, err, code }).toEqual({ out: "\n```output\nno\n```\n\n\n", err: "error, 0.0 s\n", code: 1 });
  });

  it("follows --tool-policy", async () => {
    const { out } = await tool(["run", "--code", "1", "--tool-policy", "torl"], () => "x".repeat(300));
    expect(out).toBe(`\n\`\`\`output\n${"x".repeat(128)}...${"x".repeat(128)}\n\`\`\`\n`);
  });

  it("of several files gives a line each, in their order", async () => {
    const files = ["a.py", "b.py"].map((name) => join(root, name));
    for (const file of files) await fs.writeFile(file, `print("${file.slice(-4)}")`);
    const { out, code } = await tool(["run", ...files, "--json"], async ({ code }) => {
      if (code.includes("a.py")) await new Promise((resolve) => setTimeout(resolve, 20));
      return code;
    });
    expect(jsonLines(out)).toMatchObject([
      { file: files[0], stdout: 'print("a.py")' },
      { file: files[1], stdout: 'print("b.py")' },
    ]);
    expect(code).toBe(0);
  });

  it.each([
    [["run"], /^error: tool run needs either a file/],
    [["run", "a.py", "--code", "1"], /^error: tool run needs either a file/],
    [["run", "--batch", "a", "--code", "1"], /^error: tool run needs either a file/],
    [["run", "/no/a.py"], /^error: \/no\/a.py: no such file; expected a text file\n/],
    [["run", "--code", "1", "--tool-engine", "docker"], /Allowed choices are wasi, http, native, none/],
    [["run", "--code", "1", "--workers", "1.5"], /Expected a whole number from 1 to 256/],
    [["bench", "--calls", "0"], /Expected a whole number from 1 to/],
  ])("%j is a mistake, told in one line", async (argv, message) => {
    const { code, out, err, requests } = await tool(argv);
    expect(err).toMatch(message);
    expect({ code, out, lines: err.split("\n").length, requests }).toEqual({
      code: 2,
      out: "",
      lines: 2,
      requests: [],
    });
  });
});

describe("tool run --batch", () => {
  it("answers in the order of the rows, whatever ends first, and ends well though programs do not", async () => {
    const file = join(root, "cases.jsonl");
    const rows = [
      { id: "slow", code: "1", timeoutMs: 500, memoryMb: 64, maxOutputBytes: 100, seed: 7, category: "loops" },
      { id: 2, code: "2" },
      { id: "c\nd", code: "3", seed: "s" },
    ];
    await fs.writeFile(file, `\ufeff${rows.map((row) => JSON.stringify(row)).join("\r\n\r\n")}\n`);
    const answer = async ({ code }: PythonCall): Promise<MockAnswer> => {
      await new Promise((resolve) => setTimeout(resolve, code === "1" ? 40 : 1));
      return code === "2" ? { status: "timeout", ms: 1.23456 } : { stdout: "\ud800", ms: 2, truncated: true };
    };
    const { out, err, code, calls, closed, requests } = await tool(
      [
        "run",
        "--batch",
        file,
        "--json",
        "--workers",
        "3",
        "--tool-engine",
        "http",
        "--tool-url",
        "http://x",
        "--tool-packages",
        "p.zip",
      ],
      answer,
    );
    expect(jsonLines(out)).toEqual([
      { id: "slow", status: "ok", stdout: "\ud800", stderr: "", ms: 2, truncated: true },
      { id: 2, status: "timeout", stdout: "", stderr: "", ms: 1.235, truncated: false },
      { id: "c\nd", status: "ok", stdout: "\ud800", stderr: "", ms: 2, truncated: true },
    ]);
    expect({ err, code, closed }).toEqual({ err: "", code: 0, closed: 1 });
    expect(requests).toEqual([{ engine: "http", url: "http://x", memoryMb: 256, packages: "p.zip", workerCount: 3 }]);
    expect(calls).toEqual([
      { code: "1", timeoutMs: 500, memoryMb: 64, maxOutputBytes: 100, seed: "7" },
      { code: "2", ...DEFAULT_LIMITS, seed: "0" },
      { code: "3", ...DEFAULT_LIMITS, seed: "s" },
    ]);
    const shown = await tool(["run", "--batch", file], answer);
    expect(shown.out).toBe("slow  ok, 0.0 s, output cut\n2  timeout, 0.0 s\nc d  ok, 0.0 s, output cut\n");
  });

  it.each([
    ["{", /^f, line 2: not JSON; expected \{id, code/],
    ["[]", /^f, line 2: not a JSON object; expected \{id, code/],
    ["null", /^f, line 2: not a JSON object/],
    ['{"code":"1"}', /^f, line 2: id is missing; expected a string or a number$/],
    ['{"id":1}', /^f, line 2: code is missing; expected Python source text$/],
    ['{"id":1,"code":2}', /^f, line 2: code is 2; expected Python source text$/],
    ['{"id":1,"code":"","timeoutMs":"9"}', /^f, line 2: timeoutMs is "9"; expected a number$/],
    ['{"id":1,"code":"","timeoutMs":0}', /^f, line 2: timeoutMs of a Python call is 0; give milliseconds/],
    ['{"id":1,"code":"","memoryMb":1}', /^f, line 2: memoryMb of a Python call is 1; give a number of MiB/],
    ['{"id":1,"code":"","maxOutputBytes":1.5}', /^f, line 2: maxOutputBytes of a Python call is 1.5; give bytes/],
    ['{"id":1,"code":"","seed":[]}', /^f, line 2: seed is \[\]; expected a string or a number$/],
    ['{"id":1,"code":"","timeout_ms":9}', /^f, line 2: unknown field "timeout_ms"; write timeoutMs$/],
  ])("row %s names file, line and what was expected", (row, message) => {
    const read = () => readCases(`{"id":0,"code":""}\n${row}\n`, "f", { ...DEFAULT_LIMITS, seed: "0" });
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ name: "UserError" }));
  });

  it("runs nothing when a row is wrong or there is none", async () => {
    const file = join(root, "cases.jsonl");
    await fs.writeFile(file, '{"id":1,"code":"1"}\n{"id":2}\n');
    const { code, out, err, requests } = await tool(["run", "--batch", file, "--json"]);
    expect(jsonLines(out)).toEqual([{ event: "error", message: expect.stringContaining("line 2: code is missing") }]);
    expect(err).toMatch(/^error: .*cases.jsonl, line 2: code is missing/);
    expect({ code, requests }).toEqual({ code: 2, requests: [] });
    await fs.writeFile(file, "\n");
    expect((await tool(["run", "--batch", file])).err).toMatch(/cases.jsonl: holds no row; expected \{id, code/);
  });
});

it("tool repl runs each block by itself, and says so", async () => {
  async function* lines() {
    yield* ["def f():", "  return 1", "print(f())", "", "", "boom", "", "last"];
  }
  const answer = ({ code }: PythonCall): MockAnswer =>
    code === "boom" ? { status: "error", stderr: "NameError: \u001b[2Jboom\n" } : "1\n";
  vi.mocked(createInterface).mockImplementation(() => lines() as unknown as Interface);
  const { calls, requests, closed, out, err, code } = await tool(["repl", "--timeout", "1"], answer);
  expect(calls.map((call) => `${call.seed}: ${call.code}`)).toEqual([
    "0: def f():\n  return 1\nprint(f())",
    "1: boom",
    "2: last",
  ]);
  expect(calls[0]).toMatchObject({ timeoutMs: 1000, memoryMb: 256 });
  expect({ code, closed, requests }).toMatchObject({ code: 0, closed: 1, requests: [{ workerCount: 1 }] });
  expect(out).toBe("1\nNameError: boom\n1\n");
  expect(err).toMatch(/^Each block runs in a fresh interpreter: .*\n>>> \.\.\. /);
  expect(err).toContain("error, 0.0 s\n");

  const json = await tool(["repl", "--json"], answer);
  expect(jsonLines(json.out)).toEqual([
    { status: "ok", stdout: "1\n", stderr: "", ms: 0, truncated: false },
    { status: "error", stdout: "", stderr: "NameError: \u001b[2Jboom\n", ms: 0, truncated: false },
    { status: "ok", stdout: "1\n", stderr: "", ms: 0, truncated: false },
  ]);
});

describe("tool bench", () => {
  it("measures two programs and counts wrong answers", async () => {
    const answer = async ({ code, seed }: PythonCall): Promise<MockAnswer> => {
      if (code === "print(1+1)") await new Promise((resolve) => setTimeout(resolve, seed === "9" ? 60 : 10));
      return code === "print(1+1)" ? "2\n" : "x";
    };
    const { out, code, closed, calls } = await tool(["bench", "--calls", "10", "--workers", "2", "--json"], answer);
    const rows = jsonLines(out);
    expect(rows).toMatchObject([
      { program: "print(1+1)", calls: 10, workers: 2, wrong: 0 },
      { program: "typical program", calls: 10, workers: 2, wrong: 10 },
    ]);
    const [first] = rows as { medianMs: number; p95Ms: number; callsPerSecond: number }[];
    // Timers may fire a millisecond early by this clock.
    expect(first?.medianMs).toBeGreaterThanOrEqual(9);
    expect(first?.p95Ms).toBeGreaterThanOrEqual(59);
    // Nine calls of 10 ms and one of 60 ms, two at once: at least 70 ms in all.
    expect(first?.callsPerSecond).toBeLessThan(10 / 0.07);
    // Two warm-up calls per worker and program.
    expect({ calls: calls.length, code, closed }).toEqual({ calls: 28, code: 1, closed: 1 });
    if (process.platform === "linux")
      for (const row of rows) expect(row).toMatchObject({ memoryAfterMb: expect.any(Number) });
    expect((await tool(["bench", "--calls", "1"], () => "2\n")).out).toMatch(
      /^print\(1\+1\): 1 calls, \d at once: [\d.e+ ]+ calls\/s, median [\d.e-]+ ms, p95 .*\ntypical .* 1 WRONG\n$/,
    );
  });
});

describe("engines by name", () => {
  const request = { url: null, memoryMb: 64, workerCount: 1 };

  it("none refuses each program in one sentence", async () => {
    const engine = await openRealEngine({ ...request, engine: "none" });
    expect(await engine.run({ ...DEFAULT_LIMITS, code: "1", seed: "" })).toMatchObject({ status: "error" });
    await engine.close();
  });

  it.each([
    [{ engine: "http" as const }, /^--tool-engine http needs --tool-url/],
    [{ engine: "wasi" as const, url: "http://x" }, /^--tool-url http:\/\/x is for --tool-engine http/],
  ])("%j is a mistake", async (part, message) => {
    await expect(openRealEngine({ ...request, ...part })).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(message),
    });
  });
});
