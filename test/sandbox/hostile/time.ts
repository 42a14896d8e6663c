import type { Category } from "./case";

const py = String.raw;

/** Programs without an end, in Python and inside one C function, where no interpreter check can stop them. */
export const time: Category = {
  category: "time",
  cases: [
    { id: "loop", code: "while True: pass", expect: "timeout" },
    {
      id: "loop that swallows every exception",
      code: py`while True:
    try:
        while True: pass
    except BaseException:
        pass`,
      expect: "timeout",
    },
    {
      id: "regex backtracking",
      code: "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')",
      expect: "timeout",
    },
    {
      id: "regex alternation",
      code: "import re\nre.fullmatch(r'(a|a|aa)*c', 'a' * 60)",
      expect: "timeout",
    },
    { id: "power tower", code: "9**9**9", expect: "timeout" },
    { id: "factorial", code: "import math\nmath.factorial(5 * 10**6)", expect: "timeout" },
    { id: "sum of a range", code: "sum(range(10**12))", expect: "timeout" },
    { id: "membership of an endless iterator", code: "5 in iter(int, 1)", expect: "timeout" },
    {
      id: "deque that drains an endless iterator",
      code: "import collections, itertools\ncollections.deque(itertools.count(), maxlen=0)",
      expect: "timeout",
    },
    {
      id: "number of a million digits",
      code: "import sys\nsys.set_int_max_str_digits(0)\nint('9' * 10**6)",
      expect: "timeout",
    },
    {
      id: "integers of one hash in a dict",
      code: "d = {i * (2**31 - 1): i for i in range(10**5)}",
      expect: "timeout",
      notes: "hashes of integers are taken modulo 2**31 - 1 on 32 bits",
    },
    {
      id: "strings of one hash in a set",
      code: "class S(str):\n    def __hash__(self): return 7\ns = {S(i) for i in range(10**5)}",
      expect: "timeout",
    },
    {
      id: "key derivation",
      code: "import hashlib\nhashlib.pbkdf2_hmac('sha256', b'a', b'b', 10**9)",
      expect: "timeout",
    },
    { id: "sleep", code: "import time\ntime.sleep(10**6)", expect: "timeout", limits: { timeoutMs: 30_000 } },
    {
      id: "sleep in small steps",
      code: "import time\nwhile True: time.sleep(0.5)",
      expect: "timeout",
      limits: { timeoutMs: 30_000 },
      notes: "virtual time passes the limit after 60 steps",
    },
    {
      id: "select as a sleep",
      code: "import select\nselect.select([], [], [], 10**6)\nprint('awake')",
      expect: "timeout",
    },
    {
      id: "poll as a sleep",
      code: "import select\nprint(select.poll().poll(10**9))",
      expect: "timeout",
    },
    {
      id: "busy wait on the clock",
      code: "import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass\nprint('over')",
      expect: "ok",
      stdout: /^over\n$/,
    },
    {
      id: "time bomb",
      code: "import datetime\nprint(datetime.date.today() > datetime.date(2025, 1, 1))",
      expect: "ok",
      stdout: /^False\n$/,
    },
    {
      id: "stop watch",
      code: "import time\na = time.perf_counter_ns()\nsum(range(10**5))\nprint(time.perf_counter_ns() - a)",
      expect: "ok",
      stdout: /^50000\n$/,
      notes: "a reading of the clock costs 50 microseconds, work costs nothing",
    },
    {
      id: "clock that is set",
      code: "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)",
      expect: "error",
      stderr: /AttributeError|OSError/,
    },
    {
      id: "lock taken twice",
      code: "import threading\nl = threading.Lock()\nl.acquire()\nl.acquire()\nprint('through')",
      expect: "timeout",
      notes: "one thread can't wait for another; it must only not hang the pool",
    },
    {
      id: "queue that stays empty",
      code: "import queue\nqueue.Queue().get()",
      expect: "timeout",
    },
    {
      id: "exit handler without end",
      code: "import atexit\n@atexit.register\ndef f():\n    while True: pass",
      expect: "timeout",
    },
    {
      id: "finaliser without end",
      code: "class A:\n    def __del__(self):\n        while True: pass\na = A()",
      expect: "timeout",
    },
    {
      id: "resurrection",
      code: py`import gc
class A:
    def __init__(self): self.me = self
    def __del__(self): A()
while True:
    A()
    gc.collect(0)`,
      expect: "timeout",
    },
    {
      id: "garbage collector callback without end",
      code: "import gc\ndef f(*_):\n    while True: pass\ngc.callbacks.append(f)\ngc.collect()",
      expect: "timeout",
    },
    {
      id: "trace function without end",
      code: "import sys\ndef t(*_):\n    while True: pass\nsys.settrace(t)\n(lambda: 0)()",
      expect: "timeout",
    },
    {
      id: "exponential finally",
      code: "def f():\n    try:\n        f()\n    finally:\n        f()\nf()",
      expect: "timeout",
    },
    {
      id: "sort with an endless comparison",
      code: "class A:\n    def __lt__(self, o):\n        while True: pass\nsorted([A(), A()])",
      expect: "timeout",
    },
    {
      id: "comprehension of a product",
      code: "import itertools\nsum(1 for _ in itertools.product(range(100), repeat=9))",
      expect: "timeout",
    },
    { id: "signal alarm", code: "import signal\nsignal.alarm(1)", expect: "error", stderr: /AttributeError/ },
  ],
};
