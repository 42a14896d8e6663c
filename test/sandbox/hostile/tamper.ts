import type { Category, HostileCase } from "./case";

/** What one program can change in an interpreter. The next program must find none of it. */
const CHANGES: Record<string, string> = {
  "builtins.print": "import builtins\nbuiltins.print = None",
  "every builtin": "import builtins\nfor n in list(vars(builtins)):\n    if n != 'delattr': setattr(builtins, n, None)",
  "a new builtin": "import builtins\nbuiltins.marker = 'here'",
  __import__: "import builtins\nbuiltins.__import__ = lambda *a: None",
  __build_class__: "import builtins\nbuiltins.__build_class__ = None",
  "modules cleared": "import sys\nsys.modules.clear()",
  "modules replaced": "import sys\nfor n in list(sys.modules): sys.modules[n] = None",
  "sys.stdout": "import sys, io\nsys.stdout = sys.__stdout__ = io.StringIO()",
  "sys.path": "import sys\nsys.path[:] = ['/evil']\nsys.path_hooks.clear()\nsys.meta_path.clear()",
  "math.pi": "import math\nmath.pi = 3\nmath.sqrt = abs",
  "attributes of int": "import gc\ngc.get_referents(int.__dict__)[0]['marker'] = 'here'\nprint((5).marker)",
  "int.__add__": "import gc\ngc.get_referents(int.__dict__)[0]['__add__'] = None",
  "str.join": "import gc\ngc.get_referents(str.__dict__)[0]['join'] = lambda *a: 'evil'\nprint(''.join(['a']))",
  "an abstract base class": "import numbers\nnumbers.Number.register(str)",
  "Fraction.__add__": "import fractions\nfractions.Fraction.__add__ = lambda a, b: 42",
  "json encoder": "import json\njson.JSONEncoder.default = lambda s, o: 'evil'\njson._default_encoder.indent = 4",
  "decimal context": "import decimal\ndecimal.getcontext().prec = 2\ndecimal.DefaultContext.prec = 3",
  "random state": "import random\nrandom.seed(1)\nrandom.random = lambda: 0.5",
  "recursion limit": "import sys\nsys.setrecursionlimit(50)",
  "integer digits": "import sys\nsys.set_int_max_str_digits(0)",
  "switch interval": "import sys\nsys.setswitchinterval(9)",
  "collector off": "import gc\ngc.disable()\ngc.set_threshold(1, 1, 1)",
  "collector unfrozen": "import gc\ngc.unfreeze()\ngc.collect()",
  "collector callback": "import gc\ngc.callbacks.append(print)",
  "warning filters": "import warnings\nwarnings.simplefilter('error')\nwarnings.showwarning = None",
  environment: "import os\nos.environ['A'] = 'B'\nos.putenv('C', 'D')",
  "working folder": "import os\nos.mkdir('/tmp/d')\nos.chdir('/tmp/d')",
  "exit handlers": "import atexit\natexit._clear()\natexit.register(print, 'late')",
  "trace and profile": "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)",
  "hooks of sys": "import sys\nsys.excepthook = sys.displayhook = sys.unraisablehook = print",
  "audit hook": "import sys\nsys.addaudithook(lambda *a: None)",
  codecs: "import codecs\ncodecs.register(lambda n: None)\ncodecs.register_error('strict', lambda e: ('?', e.end))",
  "copy and pickle registries": "import copyreg\ncopyreg.pickle(int, lambda x: (int, (7,)))",
  "line cache": "import linecache\nlinecache.cache['<stdin>'] = (1, None, ['evil\\n'], '<stdin>')",
  signals: "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)",
  locale: "import locale\nlocale.setlocale(locale.LC_ALL, 'C')",
  "type caches": "import sys\nsys._clear_type_cache()\nclass A: x = 1\nfor i in range(5000): setattr(A, f'a{i}', i)",
  "interned strings": "import sys\na = [sys.intern(f'marker{i}') for i in range(20000)]",
  "regex cache": "import re\nfor i in range(600): re.compile(f'a{i}')",
  "lru caches": "import functools, fractions, statistics\nfunctools._make_key = None",
  "time zone": "import os, time\nos.environ['TZ'] = 'EST5'\ntime.tzset() if hasattr(time, 'tzset') else None",
  "tracing of memory": "import tracemalloc\ntracemalloc.start(25)",
  faulthandler: "import faulthandler\nfaulthandler.enable()",
  "thread excepthook": "import threading\nthreading.excepthook = None\nthreading.current_thread().name = 'evil'",
  "main module":
    "import sys\nsys.modules['__main__'].__dict__['marker'] = 'here'\nmarker2 = bytearray(b'secret!!' * 1000)",
  "memory filled and freed": "a = [bytes([i % 251]) * 5000 for i in range(2000)]\ndel a",
  "memory grown": "a = bytearray(b'secret!!' * (2 << 20))",
  "memory exhausted": "a = []\nwhile True: a.append(bytearray(10**6))",
  "an uncaught exception": "x = 'secret'\n1 / 0",
  "exit in the middle": "import os\nx = ['secret'] * 1000\nos._exit(3)",
  "an abort": "import os\nos.abort()",
  "a trap deep in the stack": "import itertools\nm = iter([1])\nfor _ in range(2 * 10**5): m = map(int, m)\nnext(m)",
  "an output limit": "while True: print('x' * 1000)",
  "a sleep": "import time\ntime.sleep(10**6)",
  "files left open": "fs = [open(f'/tmp/{i}', 'w') for i in range(30)]\nfor f in fs: f.write('secret')",
  "descriptors closed": "import os\nos.closerange(0, 50)",
  "the library's files": "import os\nopen('/usr/x', 'w')",
  "a wrecked code object": "f = lambda: 0\nf.__code__ = f.__code__.replace(co_code=bytes([1, 0] * 5000))\nf()",
  "modules of the library": "import sqlite3, asyncio, email, http.client, xml.dom.minidom, unittest, logging",
  "finder caches": "import sys, importlib\nsys.path_importer_cache.clear()\nimportlib.invalidate_caches()",
  "standard input": "import sys\nsys.stdin.read()\nsys.stdin.close()",
  "clock and ids": "import time, uuid\nfor i in range(1000): time.time(), uuid.uuid1()",
  "hash of a class": "import fractions\nfractions.Fraction.__hash__ = lambda s: 1",
  "a big sys attribute":
    "import sys\nsys.marker = list(range(10**5))\nsys.ps1 = 'evil'\nsys.dont_write_bytecode = False",
};

export const tampering: Category = {
  category: "tampering",
  cases: Object.entries(CHANGES).map(
    ([id, code]): HostileCase => ({
      id,
      code,
      expect: ["ok", "error", "oom", "crash", "output_limit", "timeout"],
      notes: "any outcome: what counts is the program after it",
    }),
  ),
};

/** Prints everything that the programs above change. A fresh interpreter with the same seed prints the same. */
export const PROBE = `
import atexit, builtins, codecs, copyreg, decimal, fractions, functools, gc, json, linecache, math, numbers
import os, random, re, sys, threading, time, uuid, warnings, zlib
def digest(names): return zlib.crc32(repr(sorted(map(str, names))).encode())
print(digest(vars(builtins)), digest(sys.modules), sorted(globals()), digest(vars(sys)))
print(math.pi, math.sqrt(2), digest(int.__dict__), digest(str.__dict__), "".join(["a", "b"]), 1 + 1)
print(isinstance("", numbers.Number), fractions.Fraction(1, 3) + 1, json.dumps({"a": [1]}), decimal.Decimal(1) / 3)
print(sys.getrecursionlimit(), sys.get_int_max_str_digits(), sys.getswitchinterval(), sys.gettrace(), sys.getprofile())
print(gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), gc.get_count(), len(gc.callbacks), len(gc.get_objects()))
print(warnings.filters, dict(os.environ), os.getcwd(), sorted(os.listdir("/")), os.listdir("/tmp"), sys.argv)
print(sys.path, len(sys.path_hooks), sys.meta_path, digest(sys.path_importer_cache), digest(copyreg.dispatch_table))
print(atexit._ncallbacks(), linecache.cache, len(re._cache), threading.current_thread().name, time.tzname)
print(sys.excepthook, sys.displayhook, sys.stdout is sys.__stdout__, sys.stdin.fileno(), open("/tmp/new", "w").fileno())
print(random.random(), random.getrandbits(64), os.urandom(8).hex(), uuid.uuid4(), time.time(), time.monotonic())
print(hash("a"), hash(fractions.Fraction(1, 3)), {"x", "y", "z"}, id(object()), id(fractions), any(bytearray(1 << 18)))
try: b"\\xff".decode()
except UnicodeDecodeError as e: print(e)
class A: x = 5
print(A().x, functools.lru_cache(lambda n: n + 1)(4), [i for i in range(5)], f"{1.5:.3f}")
`;
