import type { Category } from "./case";

const py = String.raw;

/** Fills most of the memory at once, so that what grows in small steps comes to the limit soon. */
const BALLAST = "ballast = bytearray(36 << 20)\n";

/** Programs that ask for more memory than they may have, at once, by growth, or in places a limit might not reach. */
export const memory: Category = {
  category: "memory",
  cases: [
    { id: "growth", code: "a = []\nwhile True: a.append('x' * 10**6)", expect: "oom" },
    { id: "one block", code: "bytearray(10**9)", expect: "oom" },
    { id: "more than the address space", code: "bytearray(2**31 - 1)", expect: "oom" },
    { id: "more than a size", code: "bytearray(2**40)", expect: "error", stderr: /OverflowError/ },
    { id: "repeated list", code: "[0] * 10**9", expect: "oom" },
    { id: "repeated string", code: "'ab' * 10**9", expect: "oom" },
    { id: "shift", code: "1 << 10**9", expect: "oom" },
    { id: "doubling string", code: "s = 'x'\nwhile True: s += s", expect: "oom" },
    { id: "join", code: "','.join(['x' * 10**6] * 1000)", expect: "oom" },
    { id: "replace", code: "('a' * 10**4).replace('a', 'b' * 10**5)", expect: "oom" },
    { id: "dict", code: `${BALLAST}d = {}\nfor i in range(10**9): d[i] = i`, expect: "oom" },
    { id: "set", code: `${BALLAST}s = set(range(10**8))`, expect: "oom" },
    {
      id: "tuple of an endless iterator",
      code: `${BALLAST}import itertools\ntuple(itertools.repeat(0))`,
      expect: "oom",
    },
    {
      id: "list of a product",
      code: `${BALLAST}import itertools\nlist(itertools.product(range(50), repeat=5))`,
      expect: "oom",
    },
    {
      id: "zip bomb",
      code: "import zlib\nd = zlib.compress(bytes(10**6))\nb''.join(zlib.decompress(d) for _ in range(1000))",
      expect: "oom",
    },
    {
      id: "nested zip bomb",
      code: py`import zlib
c = zlib.compressobj(1)
d = b"".join(c.compress(bytes(1 << 20)) for _ in range(40)) + c.flush()
zlib.decompress(d)`,
      expect: "oom",
    },
    { id: "width of %d", code: "'%1000000000d' % 1", expect: ["oom", "error"], stderr: /MemoryError|OverflowError/ },
    { id: "width of format", code: "format(1, '1000000000d')", expect: "oom" },
    { id: "width beyond a size", code: "format(1, '9' * 30)", expect: "error", stderr: /ValueError/ },
    { id: "precision of a float", code: "f'{1.5:.1000000000f}'", expect: ["oom", "error"] },
    { id: "zfill", code: "'1'.zfill(10**9)", expect: "oom" },
    { id: "expandtabs", code: "('\\t' * 1000).expandtabs(10**6)", expect: "oom" },
    {
      id: "decimal of many digits",
      code: "from decimal import *\ngetcontext().prec = 10**8\nDecimal(1) / 3",
      expect: ["oom", "error", "crash"],
      notes: "libmpdec aborts",
    },
    { id: "struct", code: "import struct\nstruct.pack('1000000000x')", expect: "oom" },
    { id: "array", code: "import array\narray.array('d', bytes(8)) * 10**8", expect: "oom" },
    { id: "text buffer", code: "import io\nf = io.StringIO()\nwhile True: f.write('x' * 10**5)", expect: "oom" },
    {
      id: "deque",
      code: `${BALLAST}import collections, itertools\ncollections.deque(itertools.repeat(0))`,
      expect: "oom",
    },
    {
      id: "database in memory",
      code: py`import sqlite3
db = sqlite3.connect(":memory:")
db.execute("create table t (x)")
for i in range(1000): db.execute("insert into t values (zeroblob(4000000))")`,
      expect: ["oom", "error"],
      stderr: /MemoryError|sqlite3\.\w*Error/,
    },
    {
      id: "chain of exceptions",
      code: py`e = None
while True:
    try:
        raise ValueError("x" * 10**5) from e
    except ValueError as f:
        e = f`,
      expect: "oom",
    },
    {
      id: "interned strings",
      code: "import sys\na = [sys.intern(str(i) * 10000) for i in range(10**6)]",
      expect: "oom",
    },
    { id: "bytecode", code: "exec(compile('x = (' + '1, ' * 4 * 10**5 + ')', 'a', 'exec'))", expect: ["oom", "ok"] },
    {
      id: "regex repetition",
      code: "import re\nre.compile('(?:a{1,5000}){1,5000}' * 500)",
      expect: ["oom", "ok", "error"],
    },
    {
      id: "deep copy of itself",
      code: "import copy\na = [bytearray(10**6)]\nwhile True: a.append(copy.deepcopy(a))",
      expect: ["oom", "error"],
      stderr: /MemoryError|RecursionError/,
    },
    {
      id: "out of memory, caught, and on",
      code: py`a = []
while True:
    try:
        a.append(bytearray(10**6))
    except MemoryError:
        pass`,
      expect: "timeout",
    },
    {
      id: "out of memory, caught, and done",
      code: py`a = []
try:
    while True: a.append(bytearray(10**6))
except MemoryError:
    n = len(a)
    a = None
    print(20 < n < 64)`,
      expect: "ok",
      stdout: /^True\n$/,
    },
    {
      id: "every allocation fails",
      code: py`a = []
try:
    n = 1 << 24
    while True:
        try:
            a.append(bytearray(n))
        except MemoryError:
            n //= 2
            if n == 0: raise
except MemoryError:
    print("none left")`,
      expect: ["oom", "error", "ok", "crash"],
      notes: "whatever the interpreter does without a byte left, only this program suffers",
    },
    { id: "generators kept", code: `${BALLAST}def g(): yield\na = []\nwhile True: a.append(g())`, expect: "oom" },
    { id: "memory views", code: "a = []\nwhile True: a.append(memoryview(bytes(10**5)))", expect: "oom" },
    { id: "classes", code: `${BALLAST}a = []\nwhile True: a.append(type('A', (), {}))`, expect: "oom" },
    {
      id: "json of shared lists",
      code: "import json\na = ['x' * 10**5]\nfor _ in range(30): a = [a, a]\njson.dumps(a)",
      expect: "oom",
    },
    { id: "repr of shared lists", code: "a = 'x' * 10**5\nfor _ in range(30): a = [a, a]\nrepr(a)", expect: "oom" },
  ],
};
