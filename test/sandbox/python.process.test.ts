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

describe("programs that end well", () => {
  test.each([
    ["print", "print(1+1)", "2\n"],
    ["an empty program", "", ""],
    ["a program that prints nothing", "x = 1", ""],
    ["no line feed at the end", "print('a', end='')", "a"],
    ["fractions", "from fractions import Fraction\nprint(Fraction(1, 3) + Fraction(1, 6))", "1/2\n"],
    [
      "big integers",
      "import math\nprint(math.comb(100, 50), 2**100)",
      "100891344545564193334812497256 1267650600228229401496703205376\n",
    ],
    [
      "decimal",
      "from decimal import Decimal, getcontext\ngetcontext().prec = 30\nprint(Decimal(2).sqrt())",
      "1.41421356237309504880168872421\n",
    ],
    [
      "a module outside the snapshot",
      "import sqlite3\nprint(sqlite3.connect(':memory:').execute('select 6*7').fetchone())",
      "(42,)\n",
    ],
    [
      "a class, a generator, match",
      "class P:\n  def __init__(s, x): s.x = x\n  def g(s): yield from range(s.x)\nmatch P(3):\n  case P(x=3) as p: print(list(p.g()))",
      "[0, 1, 2]\n",
    ],
    ["__main__ guard", "if __name__ == '__main__':\n    print('main')", "main\n"],
    ["a future import on line 1", "from __future__ import annotations\nprint('ok')", "ok\n"],
    [
      "300 nested lru_cache calls",
      "from functools import lru_cache\n@lru_cache(None)\ndef f(n): return n if n < 1 else f(n-1) + 1\nprint(f(300))",
      "300\n",
    ],
    ["900 nested calls", "def f(n): return 0 if n == 0 else 1 + f(n-1)\nprint(f(900))", "900\n"],
    ["exit code 0", "import sys\nprint('a')\nsys.exit(0)", "a\n"],
    ["exit handlers", "import atexit\natexit.register(print, 'late')\nprint('early')", "early\nlate\n"],
    [
      "finalisers of globals, which still see their globals",
      "import sys\nclass A:\n  def __del__(s): sys.stdout.write('gone')\na = A()",
      "gone",
    ],
    [
      "a wrapper around stdout",
      "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer)\nprint('wrapped')",
      "wrapped\n",
    ],
    ["characters of 2 to 4 bytes", "print('é€😀' * 3000)", `${"é€😀".repeat(3000)}\n`],
    [
      "a character split over two writes",
      "import sys\nb = '€'.encode()\nfor part in (b[:1], b[1:]):\n  sys.stdout.buffer.write(part)\n  sys.stdout.buffer.flush()",
      "€",
    ],
    ["bytes that are not UTF-8", "import sys\nsys.stdout.buffer.write(b'a\\xffb')", "a\ufffdb"],
    [
      "files of its own",
      "open('note', 'w').write('hi')\nimport os\nos.mkdir('d')\nos.rename('note', 'd/n')\nprint(open('/d/n').read(), sorted(os.listdir('/')))",
      "hi ['d', 'tmp']\n",
    ],
    [
      "a file named like a property of objects",
      "open('__proto__', 'w').write('x')\nprint(open('/__proto__').read())",
      "x\n",
    ],
    [
      "time that stands still",
      "import time\nt = time.time()\nfor i in range(10**4): pass\nprint(time.time() - t < 0.01, time.strftime('%Y-%m-%d'))",
      "True 2025-01-01\n",
    ],
    [
      "sleep in virtual time",
      "import time\nt = time.monotonic()\ntime.sleep(30)\nprint(round(time.monotonic() - t))",
      "30\n",
    ],
    ["a busy wait", "import time\nt = time.time()\nwhile time.time() < t + 1: pass\nprint('done')", "done\n"],
    ["an empty environment", "import os\nprint(dict(os.environ))", "{}\n"],
  ])("%s", async (_name, code, stdout) => {
    expect(await run(code)).toMatchObject({ status: "ok", stdout, stderr: "", truncated: false });
  });

  test("stdout and stderr are separate", async () => {
    const result = await run("import sys\nprint('out')\nprint('err', file=sys.stderr)");
    expect(result).toMatchObject({ status: "ok", stdout: "out\n", stderr: "err\n" });
  });
});

describe("programs that fail", () => {
  test("a traceback as CPython prints it, after the output so far", async () => {
    expect(await run("print('before')\ndef f():\n    return 1 / 0\nf()")).toMatchObject({
      status: "error",
      stdout: "before\n",
      stderr:
        'Traceback (most recent call last):\n  File "<stdin>", line 4, in <module>\n' +
        '  File "<stdin>", line 3, in f\nZeroDivisionError: division by zero\n',
    });
  });

  test.each([
    ["syntax error", "print((", "SyntaxError: '(' was never closed\n"],
    ["prose", "Let us compute the sum", "SyntaxError: invalid syntax\n"],
    ["a module that is not there", "import numpy", "ModuleNotFoundError: No module named 'numpy'\n"],
    ["no bridge to JavaScript", "import js", "ModuleNotFoundError: No module named 'js'\n"],
    ["no foreign functions", "import ctypes", "ModuleNotFoundError: No module named 'ctypes'\n"],
    ["no end of recursion", "def f(n): return f(n+1)\nf(0)", "RecursionError: maximum recursion depth exceeded\n"],
    ["nothing to read", "input()", "EOFError: EOF when reading a line\n"],
    ["too many digits", "print(7**10**5)", "use sys.set_int_max_str_digits() to increase the limit\n"],
    ["no host file", "open('/etc/passwd')", "No such file or directory: '/etc/passwd'\n"],
    ["no way above the root", "open('/../../etc/passwd')", "Capabilities insufficient: '/../../etc/passwd'\n"],
    ["no links", "import os\nos.symlink('/', '/tmp/x')", "Function not implemented: '/' -> '/tmp/x'\n"],
    ["no processes", "import subprocess\nsubprocess.run(['ls'])", "wasi does not support processes.\n"],
    ["no threads", "import threading\nthreading.Thread(target=print).start()", "can't start new thread\n"],
    ["an exit message", "raise SystemExit('bye')", "bye\n"],
    ["an exit code", "raise SystemExit(3)", ""],
    ["_exit", "import os\nos._exit(7)", ""],
  ])("%s", async (_name, code, ending) => {
    const result = await run(code);
    expect(result.status).toBe("error");
    expect(result.stderr.endsWith(ending), result.stderr).toBe(true);
  });

  test("an abort is contained", async () => {
    expect((await run("import os\nos.abort()")).status).toBe("crash");
    expect((await run("print('next')")).stdout).toBe("next\n");
  });

  test("more C stack than there is ends in a trap, and the next program is unharmed", async () => {
    const deep = "import sys\nsys.setrecursionlimit(10**6)\nclass A:\n  def __add__(s, o): return s + o\nA() + A()";
    expect((await run(deep)).status).toBe("crash");
    expect((await run("print(sum(range(10)))")).stdout).toBe("45\n");
  });
});

describe("one program does not see the other", () => {
  test("globals, builtins, modules and files are back at the start", async () => {
    const leave =
      "import builtins, math, os\nbuiltins.print = None\nmath.pi = 3\nmarker = 'here'\nopen('/evil', 'w').write('x')\nos.environ['A'] = 'B'";
    const look = "import math, os\nprint('marker' in globals(), math.pi, os.path.exists('/evil'), dict(os.environ))";
    // More programs than workers: each worker runs both kinds.
    for (let i = 0; i < 4; i++) expect((await run(leave)).status).toBe("ok");
    const seen = await Promise.all(Array.from({ length: 4 }, () => run(look)));
    expect(new Set(seen.map(({ stdout }) => stdout))).toEqual(new Set(["False 3.141592653589793 False {}\n"]));
  });

  test("the library is whole again", async () => {
    // The embedded file system refuses these or gives up; either way the next program must not notice.
    for (const harm of ["open(f, 'wb')", "os.remove(f)", "os.rename(f, '/tmp/f')", "os.mkdir('/usr/d')"])
      await run(`import os\nf = '/usr/local/lib/python311.zip'\n${harm}`);
    const results = await Promise.all(Array.from({ length: 4 }, () => run("import tomllib\nprint(tomllib.__name__)")));
    expect(results.map(({ stdout }) => stdout)).toEqual(Array(4).fill("tomllib\n"));
  });

  test("memory that a program grew is not handed on", async () => {
    for (let i = 0; i < 3; i++) {
      expect((await run("x = bytearray(b'secret!!' * (8 << 20))\nprint(len(x))")).stdout).toBe("67108864\n");
      expect((await run("print(any(bytearray(1 << 20)), id(object()) < 1 << 25)")).stdout).toBe("False True\n");
    }
  });
});

describe("determinism", () => {
  const draw =
    "import os, random, uuid\nprint(random.random(), os.urandom(4).hex(), uuid.uuid4(), hash('a'), {'x', 'y', 'z'}, id(object()))";

  test("the same seed gives the same numbers, another seed gives others", async () => {
    const [first, second, other] = await Promise.all([run(draw), run(draw), run(draw, { seed: "other" })]);
    expect(first.status).toBe("ok");
    expect(second.stdout).toBe(first.stdout);
    expect(other.stdout.split(" ")[0]).not.toBe(first.stdout.split(" ")[0]);
    expect(other.stdout.split(" ")[1]).not.toBe(first.stdout.split(" ")[1]);
  });

  test("the number of a seed, as in the browser", async () => {
    expect((await run("import random\nprint(random.random())")).stdout).toBe("0.21678429023386225\n");
  });

  test("a program's own seed works as in CPython", async () => {
    expect((await run("import random\nrandom.seed(42)\nprint(random.random(), random.randint(1, 100))")).stdout).toBe(
      "0.6394267984578837 4\n",
    );
  });

  test("random numbers are spread evenly over calls", async () => {
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, index) => run("import random\nprint(random.random())", { seed: `${index}` })),
    );
    const numbers = results.map(({ stdout }) => Number(stdout));
    const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
    // Standard error of a mean of 40 uniform numbers: 0.046.
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.2);
    expect(new Set(numbers).size).toBe(40);
  });
});
