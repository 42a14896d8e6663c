import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAlive } from "../../src/platform/node/lock";
import type { PythonEngine } from "../../src/sandbox/engine";
import { createNativeEngine } from "../../src/sandbox/node/native";
import { findNative } from "../../src/sandbox/node/native-command";
import { runner, until } from "./helper";

/** Ids of the bubblewrap processes of this machine that run. */
function bwrapProcesses(): string[] {
  return readdirSync("/proc").filter((id) => {
    try {
      const isBwrap = /^\d+$/.test(id) && readFileSync(`/proc/${id}/comm`, "utf8").trim() === "bwrap";
      return isBwrap && isAlive(Number(id));
    } catch {
      return false;
    }
  });
}

const works = (() => {
  try {
    execFileSync(
      "bwrap",
      [
        "--unshare-all",
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/lib",
        "/lib",
        "--symlink",
        "usr/lib64",
        "/lib64",
        "/usr/bin/true",
      ],
      {
        stdio: "ignore",
      },
    );
    return existsSync("/usr/bin/python3");
  } catch {
    return false;
  }
})();
if (!works)
  console.warn("skipped: the native engine needs Linux, bubblewrap with user namespaces, and /usr/bin/python3");

describe.skipIf(!works)("Python under bubblewrap", () => {
  let engine: PythonEngine;
  beforeAll(async () => {
    engine = await createNativeEngine({ workerCount: 2 });
  });
  afterAll(() => engine.close());
  const run = runner(() => engine);

  test.each([
    ["output", "import math\nprint(math.comb(10, 3))", { status: "ok", stdout: "120\n", stderr: "" }],
    [
      "a function of its own",
      "def f(n): return n and n * f(n - 1) or 1\nprint(f(5), __name__)",
      { stdout: "120 __main__\n" },
    ],
    ["no names but its own", "print([n for n in globals() if not n.startswith('__')])", { stdout: "[]\n" }],
    ["no input", "input()", { status: "error", stderr: expect.stringContaining("EOFError") }],
    ["an exit code", "import sys\nsys.exit(3)", { status: "error" }],
    ["an exit", "import os\nos._exit(0)", { status: "ok" }],
    ["memory", "bytearray(10**9)", { status: "oom", stderr: expect.stringMatching(/MemoryError\s*$/) }],
    ["a signal", "import os\nos.kill(os.getpid(), 9)", { status: "crash" }],
    ["an abort", "import os\nos.abort()", { status: "crash" }],
    ["no process", "import subprocess\nsubprocess.run(['/usr/bin/true'])", { status: "error" }],
    ["no thread", "import threading\nthreading.Thread(target=print).start()", { status: "error" }],
    ["no host file", "open('/etc/passwd')", { status: "error", stderr: expect.stringContaining("FileNotFoundError") }],
    ["no network", "import socket\nsocket.create_connection(('127.0.0.1', 22), 1)", { status: "error" }],
    ["no environment", "import os\nprint('USER' in os.environ, 'NODE_ENV' in os.environ)", { stdout: "False False\n" }],
    ["a large file", "open('/tmp/a', 'wb').write(bytes(17 << 20))", { status: "error" }],
  ])("%s", async (_name, code, expected) => {
    expect(await run(code)).toMatchObject(expected);
  });

  test("a traceback shows the program's own lines only", async () => {
    const { stderr } = await run("def f():\n  return 1 / 0\nf()");
    expect(stderr.match(/File "/g)?.length).toBe(2);
    expect(stderr).toMatch(/^Traceback .*\n {2}File "<stdin>", line 3, in <module>/);
    expect((await run("x = = 1")).stderr).toMatch(/^ {2}File "<stdin>", line 1\n[\s\S]*SyntaxError/);
  });

  test("the seed decides what random gives, and hashes are fixed", async () => {
    const code = "import random\nprint(random.random(), hash('a'))";
    const first = await run(code, { seed: "a\0" });
    expect((await run(code, { seed: "a\0" })).stdout).toBe(first.stdout);
    expect((await run(code, { seed: "b" })).stdout).not.toBe(first.stdout);
  });

  test("nothing is left for the next call", async () => {
    await run("open('/tmp/marker', 'w').write('x')");
    expect((await run("import os\nprint(os.listdir('/tmp'))")).stdout).toBe("[]\n");
  });

  test("the deadline ends a loop, and a flood of output ends at its limit", async () => {
    const loop = await run("while True: pass", { timeoutMs: 300 });
    expect(loop).toMatchObject({ status: "timeout" });
    const flood = await run("while True: print('x' * 1000)", { maxOutputBytes: 1000 });
    expect(flood).toMatchObject({ status: "output_limit", truncated: true });
    expect(flood.stdout.length).toBeLessThan(1100);
  });

  test("calls over the number of workers wait", async () => {
    const runs = ["1", "2", "3", "4"].map((n) => run(`print(${n})`));
    expect(engine.waiting()).toEqual({ running: 2, queued: 2 });
    expect((await Promise.all(runs)).map(({ stdout }) => stdout)).toEqual(["1\n", "2\n", "3\n", "4\n"]);
  });

  test("close ends what runs and leaves no process", async () => {
    const other = await createNativeEngine({ workerCount: 1 });
    const before = bwrapProcesses().length;
    const runs = ["while True: pass", "print(1)"].map((code) => runner(() => other)(code));
    expect(await until(() => bwrapProcesses().length > before, 5000)).toBe(true);
    await other.close();
    for (const result of await Promise.all(runs)) expect(result.status).toBe("crash");
    expect(await until(() => bwrapProcesses().length <= before, 5000)).toBe(true);
    await expect(runner(() => other)("1")).rejects.toThrow("closed");
  });

  test("a bubblewrap that isolates nothing is found out", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zerotir-bwrap-"));
    const fake = join(folder, "bwrap");
    // Runs what follows the first "--", in no sandbox at all.
    writeFileSync(fake, '#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n', { mode: 0o755 });
    execFileSync("chmod", ["755", folder]);
    try {
      await expect(createNativeEngine({ bwrap: fake })).rejects.toMatchObject({
        name: "UserError",
        message: expect.stringMatching(
          /not isolated on this machine \(.*files of this user.*network of this machine.*wasi$/,
        ),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("without what it needs, the native engine says so in one sentence", () => {
  test.runIf(process.platform === "linux")("bubblewrap", async () => {
    await expect(createNativeEngine({ bwrap: "no-such-bwrap" })).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(
        /^--tool-engine native needs bubblewrap, and no-such-bwrap is not installed here; [^\n]+$/,
      ),
    });
  });

  test.skipIf(!works)("Python", async () => {
    await expect(findNative({ python: "/no/python3" })).rejects.toThrow(
      /needs Python, and \/no\/python3 is not installed/,
    );
  });
});
