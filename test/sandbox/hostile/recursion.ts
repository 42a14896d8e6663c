import type { Category } from "./case";

const py = String.raw;

/**
 * Recursion in Python, in C and in the parser. A trap (`crash`) is contained; natively several of these are a
 * segmentation fault.
 */
export const recursion: Category = {
  category: "recursion",
  cases: [
    { id: "function", code: "def f(n): return f(n + 1)\nf(0)", expect: "error", stderr: /RecursionError/ },
    {
      id: "limit raised",
      code: "import sys\nballast = bytearray(34 << 20)\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1)\nf(0)",
      expect: ["oom", "crash"],
    },
    {
      id: "limit raised, through C",
      code: "import sys\nsys.setrecursionlimit(10**6)\nclass A:\n    def __add__(s, o): return s + o\nA() + A()",
      expect: "crash",
    },
    { id: "limit of one", code: "import sys\nsys.setrecursionlimit(1)", expect: ["error", "ok"] },
    { id: "repr", code: "a = []\nfor _ in range(10**4): a = [a]\nrepr(a)", expect: "error", stderr: /RecursionError/ },
    {
      id: "comparison",
      code: "a = b = []\nfor _ in range(10**4): a, b = [a], [b]\na == b",
      expect: "error",
      stderr: /RecursionError/,
    },
    { id: "hash", code: "a = ()\nfor _ in range(2 * 10**5): a = (a,)\nhash(a)", expect: ["error", "crash", "ok"] },
    {
      id: "getattr",
      code: "class A:\n    def __getattr__(s, n): return getattr(s, n)\nA().x",
      expect: "error",
      stderr: /RecursionError/,
    },
    { id: "json reader", code: "import json\njson.loads('[' * 10**6)", expect: ["error", "crash"] },
    {
      id: "json writer",
      code: "import json\na = []\nfor _ in range(10**4): a = [a]\njson.dumps(a)",
      expect: "error",
      stderr: /RecursionError/,
    },
    {
      id: "pickle",
      code: "import pickle\na = []\nfor _ in range(10**4): a = [a]\npickle.dumps(a)",
      expect: "error",
      stderr: /RecursionError/,
    },
    {
      id: "copy",
      code: "import copy\na = []\nfor _ in range(10**4): a = [a]\ncopy.deepcopy(a)",
      expect: "error",
      stderr: /RecursionError/,
      limits: { maxOutputBytes: 65_536 },
    },
    {
      id: "chain of map",
      code: "m = iter([1])\nfor _ in range(2 * 10**5): m = map(int, m)\nnext(m)",
      expect: ["crash", "error", "ok"],
      notes: "C recursion that CPython does not count",
    },
    {
      id: "chain of chain",
      code: "import itertools\nm = iter([1])\nfor _ in range(2 * 10**4): m = itertools.chain(m, [])\nlist(m)",
      expect: ["crash", "error", "ok"],
    },
    {
      id: "partial",
      code: "import functools\nf = print\nfor _ in range(10**4): f = functools.partial(lambda g: g(), f)\nf()",
      expect: ["error", "crash"],
    },
    {
      id: "yield from",
      code: "def g(n):\n    if n: yield from g(n - 1)\n    yield 1\nlist(g(10**4))",
      expect: "error",
      stderr: /RecursionError/,
    },
    {
      id: "chain of objects freed",
      code: py`class N:
    __slots__ = "n"
a = None
for _ in range(10**5):
    b = N()
    b.n = a
    a = b
del a, b
print("freed")`,
      expect: "ok",
      stdout: /^freed\n$/,
    },
    {
      id: "isinstance of nested tuples",
      code: "t = (int,)\nfor _ in range(10**4): t = (t,)\nisinstance('', t)",
      expect: "error",
      stderr: /RecursionError/,
    },
    { id: "exec in exec", code: "s = 'exec(s)'\nexec(s)", expect: "error", stderr: /RecursionError/ },
    {
      id: "recursion caught without end",
      code: py`def f():
    try:
        f()
    except RecursionError:
        f()
f()`,
      expect: "timeout",
    },
    {
      id: "parentheses",
      code: "eval('(' * 5000 + ')' * 5000)",
      expect: ["error", "oom"],
      stderr: /SyntaxError|MemoryError/,
    },
    { id: "minus signs", code: "eval('-' * 10**5 + '1')", expect: ["oom", "error", "crash"] },
    { id: "long sum", code: "eval('1' + '+1' * 3 * 10**4)", expect: ["error", "oom", "crash"] },
    { id: "attributes", code: "eval('a' + '.b' * 3 * 10**4)", expect: ["error", "oom", "crash"] },
    { id: "nots", code: "eval('not ' * 10**5 + '1')", expect: ["error", "oom", "crash"] },
    { id: "lambdas", code: "eval('lambda: ' * 10**4 + '1')", expect: ["error", "oom", "crash"] },
    {
      id: "indentation",
      code: `${Array.from({ length: 200 }, (_, i) => `${" ".repeat(i)}if 1:\n`).join("")}${" ".repeat(200)}pass`,
      expect: "error",
      stderr: /IndentationError: too many levels of indentation/,
    },
    {
      id: "regex groups",
      code: "import re\nre.compile('(' * 2000 + ')' * 2000)",
      expect: "error",
      stderr: /RecursionError/,
      limits: { maxOutputBytes: 65_536 },
    },
    { id: "literal", code: "import ast\nast.literal_eval('[' * 10**4 + ']' * 10**4)", expect: ["error", "oom"] },
    {
      id: "syntax tree built by hand",
      code: py`import ast
n = ast.Constant(1)
for _ in range(10**4): n = ast.UnaryOp(ast.USub(), n)
compile(ast.fix_missing_locations(ast.Expression(n)), "a", "eval")`,
      expect: ["error", "crash"],
    },
    {
      id: "marshal",
      code: "import marshal\nmarshal.loads(b'[\\x01\\x00\\x00\\x00' * 10**5 + b'N')",
      expect: ["error", "crash"],
    },
    {
      id: "nested exception groups",
      code: "e = ValueError()\nfor _ in range(10**4): e = ExceptionGroup('', [e])\nraise e",
      expect: ["error", "crash"],
    },
    {
      id: "chain of causes",
      code: "e = None\nfor _ in range(10**4):\n    n = ValueError()\n    n.__cause__ = e\n    e = n\nraise e",
      expect: ["error", "crash", "output_limit"],
    },
    {
      id: "decorated to death",
      code: "class M(type):\n    def __instancecheck__(c, o): return isinstance(o, c)\nclass A(metaclass=M): pass\nisinstance(1, A)",
      expect: "error",
      stderr: /RecursionError/,
    },
  ],
};
