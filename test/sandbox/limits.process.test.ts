import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PythonEngine } from "../../src/sandbox/engine";
import { createNodeSandbox } from "../../src/sandbox/node/sandbox";
import { runner } from "./helper";

let engine: PythonEngine;
const run = runner(() => engine);
beforeAll(async () => {
  engine = await createNodeSandbox({ workerCount: 2 });
});
afterAll(() => engine.close());

describe("time", () => {
  test.each([
    ["a loop", "while True: pass"],
    ["a regular expression in C", "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')"],
    ["a power in C", "9**9**9"],
    ["a sum in C", "sum(range(10**12))"],
    ["an exit handler", "import atexit\ndef f():\n  while True: pass\natexit.register(f)"],
  ])("%s is stopped", async (_name, code) => {
    const result = await run(code, { timeoutMs: 300 });
    expect(result).toMatchObject({ status: "timeout", stdout: "" });
    expect(result.ms).toBeGreaterThanOrEqual(299);
  });

  test("a sleep beyond the limit ends at once", async () => {
    // Most of a day: this test would not see the end of it.
    const result = await run("import time\nprint('a', flush=True)\ntime.sleep(10**6)", { timeoutMs: 80_000_000 });
    expect(result).toMatchObject({ status: "timeout", stdout: "a\n" });
  });

  test("waiting for a worker is not run time", async () => {
    const slow = "while True: pass";
    const began = performance.now();
    const results = await Promise.all(Array.from({ length: 6 }, () => run(slow, { timeoutMs: 200 })));
    const elapsed = performance.now() - began;
    expect(results.map(({ status }) => status)).toEqual(Array(6).fill("timeout"));
    expect(Math.max(...results.map(({ queueMs }) => queueMs))).toBeGreaterThan(350);
    for (const { ms, queueMs } of results) expect(ms + queueMs).toBeLessThanOrEqual(elapsed);
  });

  test("the queue can be watched", async () => {
    const calls = Array.from({ length: 5 }, () => run("for i in range(10**5): pass"));
    expect(engine.waiting()).toEqual({ running: 2, queued: 3 });
    await Promise.all(calls);
    expect(engine.waiting()).toEqual({ running: 0, queued: 0 });
  });
});

describe("memory", () => {
  test.each([
    ["growth", "a = []\nwhile True: a.append('x' * 10**6)"],
    ["one block", "bytearray(10**9)"],
    ["repetition", "[0] * 10**9"],
    ["unpacking", "import zlib\nd = zlib.compress(bytes(10**6))\nb''.join(zlib.decompress(d) for _ in range(1000))"],
  ])("%s", async (_name, code) => {
    expect(await run(code, { memoryMb: 96 })).toMatchObject({ status: "oom", stdout: "" });
  });

  test("each call has its own limit", async () => {
    const code = "x = bytearray(50 << 20)\nprint(len(x))";
    expect((await run(code, { memoryMb: 64 })).status).toBe("oom");
    expect((await run(code, { memoryMb: 128 })).stdout).toBe("52428800\n");
  });

  test("many programs that run out of memory do not wear the sandbox out", async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, () => run("bytearray(5 * 10**7)\nbytearray(10**9)", { memoryMb: 96 })),
    );
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["oom"]));
    expect((await run("print('still here')")).stdout).toBe("still here\n");
  });
});

describe("output", () => {
  test("what exceeds the window is cut out of the middle", async () => {
    const result = await run("print('start' + 'x' * 3000 + 'end')", { maxOutputBytes: 1000 });
    expect(result).toMatchObject({ status: "ok", truncated: true });
    expect(result.stdout).toMatch(/^startx{745}\n\[2009 bytes left out\]\nx{246}end\n$/);
  });

  test("a long message keeps its last line", async () => {
    const result = await run("raise Exception('x' * 3000 + 'end')", { maxOutputBytes: 1000 });
    expect(result).toMatchObject({ status: "error", truncated: true });
    expect(result.stderr.startsWith("Traceback (most recent call last):\n")).toBe(true);
    expect(result.stderr.endsWith("xend\n")).toBe(true);
  });

  test.each(["stdout", "stderr"])("a flood of %s stops the program", async (stream) => {
    const result = await run(`import sys\nwhile True: sys.${stream}.write('x' * 100)`, { maxOutputBytes: 1000 });
    expect(result).toMatchObject({ status: "output_limit", truncated: true });
    expect(result.stdout.length + result.stderr.length).toBeLessThan(1100);
  });

  test("a cut does not split a character", async () => {
    for (const size of [1000, 1001, 1002, 1003]) {
      const { stdout } = await run("print('😀' * 1000)", { maxOutputBytes: size });
      expect(stdout).toMatch(/^(😀)+\n\[\d+ bytes left out\]\n(😀)+\n$/u);
    }
  });
});

describe("files", () => {
  test.each([
    ["bytes", "f = open('f', 'wb', 0)\nwhile True: f.write(bytes(10**6))"],
    ["many small files", "for i in range(10**6): open(f'f{i}', 'w').close()"],
    ["folders", "import os\nfor i in range(10**6): os.mkdir(f'd{i}')"],
    ["depth", "import os\np = '/tmp'\nfor i in range(100):\n  p += '/d'\n  os.mkdir(p)"],
    ["growth by truncate", "open('f', 'wb').truncate(10**10)"],
    ["growth by seek", "f = open('f', 'wb', 0)\nf.seek(10**10)\nf.write(b'x')"],
  ])("quota on %s", async (_name, code) => {
    const result = await run(code);
    expect(result.status).toBe("error");
    expect(result.stderr).toContain("[Errno 51] No space left on device");
  });

  test("a deleted file gives its bytes back, once it is closed", async () => {
    const code =
      "import os\nfor i in range(20):\n  f = open('f', 'wb', 0)\n  f.write(bytes(5 * 10**6))\n  os.remove('f')\n  f.close()\nprint('ok')";
    expect(await run(code)).toMatchObject({ status: "ok", stdout: "ok\n" });
    const held =
      "import os\nfs = []\nfor i in range(20):\n  f = open('f', 'wb', 0)\n  fs.append(f)\n  f.write(bytes(5 * 10**6))\n  os.remove('f')";
    expect((await run(held)).stderr).toContain("No space left on device");
  });

  test("open files are limited", async () => {
    const result = await run("fs = [open(f'f{i}', 'w') for i in range(100)]");
    expect(result.stderr).toContain("OSError: [Errno 33]");
  });
});

test.each([
  [{ memoryMb: 8 }, /memoryMb of a Python call is 8; give a number of MiB from 32 to 4096/],
  [{ timeoutMs: Number.NaN }, /timeoutMs of a Python call is NaN/],
  [{ maxOutputBytes: 1.5 }, /maxOutputBytes of a Python call is 1.5/],
])("limits out of range are refused: %o", async (limits, message) => {
  await expect(run("print(1)", limits)).rejects.toThrow(message);
});

test("a long traceback is no flood, however little of it is kept", async () => {
  const code = `raise ValueError("x" * 200000)`;
  expect(await run(code, { maxOutputBytes: 64 })).toMatchObject({ status: "error", truncated: true });
});

test("output that can't be flushed at the end makes exit code 120, as in CPython", async () => {
  const code =
    "import sys\nclass W:\n    def write(self, x): return len(x)\n    def flush(self): raise OSError('no')\nsys.stdout = W()";
  const { status, stderr } = await run(code);
  expect(status).toBe("error");
  expect(stderr).toMatch(
    /^Exception ignored in: <__main__\.W object at 0x\w+>\nTraceback .*\n {2}File "<stdin>", line 4, in flush\nOSError: no\n$/,
  );
});

test("what is warned of at the end names no file of the sandbox", async () => {
  const { stderr } = await run("async def f(): pass\nc = f()");
  expect(stderr).toMatch(/^sys:1: RuntimeWarning: coroutine 'f' was never awaited/);
});
