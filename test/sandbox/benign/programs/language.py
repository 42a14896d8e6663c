#### classes and properties
class Shape:
    count = 0
    def __init__(self, name): self.name = name; type(self).count += 1
    @property
    def label(self): return self.name.title()
    @classmethod
    def make(cls, *a): return cls(*a)
    @staticmethod
    def twice(x): return 2 * x
    def __eq__(self, o): return self.name == o.name
    def __repr__(self): return f"{type(self).__name__}({self.name!r})"
class Circle(Shape):
    def __init__(self, r): super().__init__("circle"); self.r = r
    def __lt__(self, o): return self.r < o.r
print(Circle(2), Shape.make("square").label, sorted([Circle(3), Circle(1)])[0].r, Circle.count, Shape.count, Shape.twice(4), Circle.__mro__)
#### dataclasses
from dataclasses import dataclass, field, asdict, replace
@dataclass(order=True, frozen=True)
class P:
    x: int
    y: float = 0.5
    tags: list = field(default_factory=list, compare=False)
print(P(1), P(1) < P(2), asdict(P(3, tags=["a"])), replace(P(1), x=9))
try: P(1).x = 5
except Exception as e: print(type(e).__name__, e)
#### generators
def fib():
    a, b = 0, 1
    while True: yield a; a, b = b, a + b
def avg():
    total = n = 0; x = None
    while True: x = yield total / n if n else None; total += x; n += 1
g = avg(); next(g)
print([x for x, _ in zip(fib(), range(15))], [g.send(x) for x in (10, 20, 60)], sum(x * x for x in range(10)))
def chain(*its):
    for it in its: yield from it
print(list(chain("ab", [1, 2])), (lambda g: (next(g), next(g)))(iter(range(5))))
#### closures and decorators
import functools
def trace(f):
    @functools.wraps(f)
    def w(*a, **k):
        r = f(*a, **k); print(f"{f.__name__}{a} -> {r}"); return r
    return w
@trace
def add(a, b=2): "Adds."; return a + b
add(1); add(3, 4); print(add.__doc__, add.__name__)
def counter():
    n = 0
    def inc(): nonlocal n; n += 1; return n
    return inc
c = counter(); print(c(), c(), functools.reduce(lambda a, b: a * b, range(1, 8)), functools.partial(pow, 2)(10))
#### comprehensions
print([x * y for x in range(4) for y in range(x) if (x + y) % 2], {k: v for k, v in zip("abc", range(3))}, {x % 3 for x in range(10)}, [[i * j for j in range(3)] for i in range(3)])
print([y := 5, y ** 2], any(x > 3 for x in range(5)), all([]), sorted("banana", key=lambda c: (-ord(c), c)), list(map(lambda a, b: a - b, [5, 6], [1, 2])), list(filter(None, [0, 1, "", "a"])))
#### exceptions
import traceback
class MyError(ValueError): pass
def f(x):
    try:
        if x == 0: raise MyError("zero")
        return 10 / (x - 1)
    except ZeroDivisionError as e: return f"caught {e}"
    else: return "never"
    finally: print("finally", x)
for x in (2, 1, 0):
    try: print(f(x))
    except MyError as e: print(repr(e), e.args)
try:
    try: {}["k"]
    except KeyError as e: raise RuntimeError("outer") from e
except RuntimeError: print(traceback.format_exc())
#### messages of common errors
for code in ("1/0", "int('x')", "[][1]", "{}['a']", "None.x", "'a' + 1", "len(5)", "undefined", "float('a')", "(1, 2)[5]", "[1, 2].index(3)", "'abc'.foo", "max([])", "import_error", "range(1.5)", "sum(['a'])", "a, b = 1, 2, 3", "1 + '2'", "int('12', 99)", "10 ** 400 * 1.0", "f(", "x = = 1", "for", "'abc", "math.sqrt(4)", "(-1) ** 0.5 < 2", "list.sort()", "chr(-1)", "[].pop()", "next(iter([]))", "'{}'.format()", "b'a' + 'b'", "set([[]])", "5()", "complex('a')", "print(1"):
    try: exec(code)
    except Exception as e: print(f"{code!r}: {type(e).__name__}: {e}")
#### uncaught exception
def inner(x):
    return 1 / x
def outer():
    return inner(0)
print("before")
outer()
#### uncaught chain
try:
    int("abc")
except ValueError as e:
    raise KeyError("missing") from e
#### uncaught during handling
try:
    [][0]
except IndexError:
    undefined_name
#### assertion
values = [1, 2, 3]
assert sum(values) == 7, f"sum is {sum(values)}"
#### syntax error
x = 1
if x == 1
    print(x)
#### indentation error
def f():
print(1)
#### recursion error
def f(n): return f(n + 1)
f(0)
#### exit code
import sys
print("a")
sys.exit(3)
#### exit message
raise SystemExit("stopped here")
#### exception group
try:
    raise ExceptionGroup("many", [ValueError(1), TypeError("t")])
except* ValueError as g: print("values", g.exceptions)
except* TypeError as g: print("types", g.exceptions)
#### notes and warnings
import warnings
warnings.warn("careful")
e = ValueError("v"); e.add_note("a note")
raise e
#### pattern matching
def area(s):
    match s:
        case {"kind": "circle", "r": r}: return 3 * r * r
        case ["rect", w, h] | ["box", w, h]: return w * h
        case int(n) if n > 5: return n
        case str() as t: return t.upper()
        case (x, *rest): return x, rest
        case _: return None
print(area({"kind": "circle", "r": 2}), area(["rect", 2, 3]), area(7), area("q"), area((1, 2, 3)), area(None))
#### string formatting
print(f"{3.14159:.2f} {42:08b} {255:#x} {1234567:,} {1234567.891:_.1f} {'a':>5}|{'b':<5}|{'c':^5}| {0.256:.1%} {12345.678:e} {1e10:g} {-5:+d} {7:03d}")
print("%5.2f|%-6s|%+d|%x|%%|%r|%s|%05d|%e" % (3.14159, "ab", 5, 255, "q", None, 42, 12345.678), "{0} {1} {0!r} {name}".format("a", 2, name="n"))
x = 5; print(f"{x=} {x + 1 = } {'nested ' + f'{x:>{x}}'} {{}} {x!r:>4}")
#### string methods
s = "The quick brown fox"
print(s.lower(), s.split(), s[::-1], s.replace("quick", "slow"), s.find("q"), s.count("o"), "-".join("abc"), s.partition(" "), s.title(), s.swapcase(), s.startswith("The"), "abc".isalpha(), " x ".strip(), "a,b,,c".split(","), "ab\ncd".splitlines(), "x".zfill(4), s.encode()[:3], "straße".casefold(), "é".encode("utf-8"), ord("é"), chr(8364))
print("abc".translate(str.maketrans("abc", "xyz")), "a\tb".expandtabs(4), "%s" % (1,), "abc" * 2, "b" in "abc", sorted("hello"), repr("it's \"q\" \n \x00 é \u200b"), ascii("é"), "A".isupper(), "Ⅷ".isnumeric(), "10".isdigit())
#### regular expressions
import re
print(re.findall(r"\d+", "a1b22c333"), re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world"), re.match(r"(?P<y>\d{4})-(?P<m>\d\d)", "2024-05-06").groupdict(), re.split(r"[,;]\s*", "a, b;c"), re.search("b+", "abbbc").span(), re.fullmatch(r"[a-z]+", "abc1"))
print([m.group() for m in re.finditer(r"(?<=\$)\d+(?:\.\d+)?", "cost $12.50 and $3")], re.sub(r"\d", lambda m: str(int(m[0]) * 2), "a1b5"), re.compile(r"^x", re.M | re.I).findall("x\nX\ny"), re.escape("a.b*c"), re.findall(r"\\boxed\{(.*?)\}", r"so \boxed{42} and \boxed{x^2}"))
#### dictionaries and sets
d = {"b": 2, "a": 1}; d |= {"c": 3}; print(d, sorted(d), d.get("z", 0), d.pop("b"), d.setdefault("q", []), list(d.items()), {**d, "a": 9}, dict(sorted(d.items(), key=str)))
a, b = {1, 2, 3}, {2, 3, 4}; print(a & b, a | b, a - b, a ^ b, a <= b, frozenset([3, 1]), {i * i for i in range(-3, 4)}, len({1, 1.0, True}))
#### slices and unpacking
x = list(range(10)); x[2:5] = [20]; del x[::3]; a, *b, c = x; print(x, a, b, c, x[-3:], x[::-2], [*x, *"ab"], x.index(20) if 20 in x else None, list(reversed(x)), list(enumerate("ab", 1)), list(zip(*[(1, 2), (3, 4)])), max(x, key=lambda v: -v), (1, 2) < (1, 3), [1, 2] + [3], [0] * 3)
#### dates
from datetime import date, datetime, timedelta, timezone
d = date(2024, 2, 28); print(d + timedelta(days=2), (date(2024, 12, 25) - d).days, d.strftime("%A %d %B %Y"), d.isocalendar(), d.weekday(), date.fromisoformat("2023-03-01") - timedelta(1))
t = datetime(2000, 1, 1, 13, 45, tzinfo=timezone.utc); print(t.isoformat(), t.timestamp(), datetime.strptime("05/06/21 10:11", "%d/%m/%y %H:%M"), timedelta(hours=25, seconds=3), sum(date(y, m, 1).weekday() == 6 for y in range(1901, 2001) for m in range(1, 13)), t.astimezone(timezone(timedelta(hours=5, minutes=30))))
#### calendar
import calendar
print(calendar.month(2024, 2), calendar.isleap(1900), calendar.monthrange(2023, 2), calendar.day_name[0])
#### statistics
import statistics as s
x = [2, 4, 4, 4, 5, 5, 7, 9]; print(s.mean(x), s.median(x), s.mode(x), s.pstdev(x), s.stdev(x), s.variance(x), s.quantiles(x), s.harmonic_mean([40, 60]), s.geometric_mean([1, 8]), s.correlation([1, 2, 3], [1, 5, 7]), s.linear_regression([1, 2, 3], [2, 4, 7]), s.NormalDist(0, 1).cdf(1.96))
#### json
import json
print(json.dumps({"a": [1, 2.5, None, True], "b": "é\n"}, indent=2, sort_keys=True), json.loads('{"x": [1e3, -0.5, "\\u00e9"]}'), json.dumps("é", ensure_ascii=False), json.dumps({1: 2}))
try: json.loads("{bad}")
except json.JSONDecodeError as e: print(e)
#### textwrap, pprint, csv
import textwrap, pprint, csv, io
print(textwrap.fill("the quick brown fox jumps over the lazy dog " * 2, 30), textwrap.dedent("  a\n    b"), textwrap.shorten("hello big world", 12))
pprint.pprint({"key" + str(i): list(range(i * 4)) for i in range(5)}, width=50)
w = io.StringIO(); csv.writer(w).writerows([[1, "a,b"], [2, 'q"']]); print(repr(w.getvalue()), list(csv.DictReader(io.StringIO("x,y\n1,2"))))
#### enums and abstract classes
from enum import Enum, IntFlag, auto
from abc import ABC, abstractmethod
class Color(Enum): RED = 1; GREEN = auto()
class Perm(IntFlag): R = 4; W = 2
class A(ABC):
    @abstractmethod
    def f(self): ...
print(Color.RED, Color(2), list(Color), Color["GREEN"].value, Perm.R | Perm.W, Perm(6) & Perm.W)
try: A()
except TypeError as e: print(e)
#### context managers
from contextlib import contextmanager, suppress, redirect_stdout, ExitStack
import io
@contextmanager
def tag(n): print(f"<{n}>"); yield n; print(f"</{n}>")
with tag("a") as a, tag("b"): print(a)
with suppress(ZeroDivisionError): 1 / 0
b = io.StringIO()
with redirect_stdout(b): print("hidden")
print(repr(b.getvalue()))
#### operators and special methods
class V:
    def __init__(s, *x): s.x = x
    def __add__(s, o): return V(*(a + b for a, b in zip(s.x, o.x)))
    def __mul__(s, k): return V(*(a * k for a in s.x))
    __rmul__ = __mul__
    def __matmul__(s, o): return sum(a * b for a, b in zip(s.x, o.x))
    def __getitem__(s, i): return s.x[i]
    def __len__(s): return len(s.x)
    def __iter__(s): return iter(s.x)
    def __contains__(s, v): return v in s.x
    def __bool__(s): return any(s.x)
    def __neg__(s): return s * -1
    def __repr__(s): return f"V{s.x}"
    def __format__(s, f): return "<" + ",".join(format(a, f) for a in s.x) + ">"
v = V(1, 2, 3); print(v + v, 2 * v, v @ v, v[1:], len(v), list(v), 2 in v, bool(V(0)), -v, f"{v:.1f}")
#### inheritance and super
class A:
    def go(self): return "A"
class B(A):
    def go(self): return "B" + super().go()
class C(A):
    def go(self): return "C" + super().go()
class D(B, C):
    def go(self): return "D" + super().go()
print(D().go(), [k.__name__ for k in D.__mro__], isinstance(D(), C), issubclass(B, C))
class M(type):
    def __new__(m, n, b, d): d["tag"] = n.lower(); return super().__new__(m, n, b, d)
class Z(metaclass=M): pass
print(Z.tag, type(Z).__name__)
#### copies and identity
import copy
a = [[1], 2]; b = copy.copy(a); c = copy.deepcopy(a); a[0].append(9); print(a, b, c, a is b, a == b, a[0] is b[0])
#### bytes and hashes
import hashlib, base64, zlib, struct, binascii
print(hashlib.md5(b"a").hexdigest(), hashlib.sha256(b"a").hexdigest(), base64.b64encode(b"hello"), zlib.crc32(b"hello"), struct.pack(">Hd", 1, 2.5), struct.unpack("<i", b"\x01\x00\x00\x00"), binascii.hexlify(b"ab"), bytearray(b"abc")[1], bytes.fromhex("ff00"))
#### type hints and generics
from typing import Generic, Optional, TypeVar, NamedTuple
T = TypeVar("T")
class Box(Generic[T]):
    def __init__(self, v: T) -> None: self.v: T = v
class Pt(NamedTuple): x: int; y: Optional[int] = None
def f(a: int, *b: str, c: "float" = 1.0) -> list[int]: return [a]
print(Box[int](5).v, Pt(1), f.__annotations__, int | None)
#### printing
print("a", "b", sep="-", end="!\n"); print(*range(5), sep=", "); print(); print(None, True, ..., 1_000, 1e3, [1, "a", None], {"a": (1,)}, {1}, set(), b"x", 1j, range(3), type(5), print, len)
print("tab\there", "unicode: π ≈ 3.14 ∑ ∞ 😀", r"\n raw", """multi
line""")
#### standard error
import sys
print("to stdout"); print("to stderr", file=sys.stderr); sys.stdout.write("no newline")
#### finalisers and exit handlers
import atexit
atexit.register(print, "exit handler")
class A:
    def __del__(self): print("deleted")
a = A(); a = None; print("after")
#### main guard
def solve(): return sum(i for i in range(1000) if i % 3 == 0 or i % 5 == 0)
if __name__ == "__main__": print(solve())
#### globals and scope
x = 10
def f():
    global x
    x += 1
    def g(): return x * 2
    return g()
print(f(), x, "x" in globals(), [i for i in range(3)], (lambda x=x: x)())
for i in range(3): pass
else: print("else", i)
while True: break
print(eval("x * 2"), exec("y = 7"), y, callable(f), hasattr(f, "__name__"), getattr("a", "upper")(), isinstance(True, int), abs(-3), divmod(7, 3), pow(2, 5, 7), hex(255), sum([[1], [2]], []))
#### asynchronous code by hand
async def f(x): return x * 2
async def g(): return await f(3) + await f(4)
try: g().send(None)
except StopIteration as e: print(e.value)
#### interpolation of a table
rows = [("alpha", 1, 2.5), ("beta", 20, 0.125)]
print("\n".join(f"{n:<8}|{i:>4}|{x:8.3f}" for n, i, x in rows)); print("=" * 22)
#### time measured
import time
t = time.perf_counter(); s = sum(range(100000)); print(s, time.perf_counter() - t < 5, time.time() > 0)
#### hash equality
print(hash(1) == hash(1.0), hash(True), hash(0), {1: "a", 1.0: "b", True: "c"}, hash("a") == hash("a"), hash((1, 2)) == hash((1, 2)), hash(10**6))
#### walrus and conditional chains
n = 45
print("fizzbuzz" if n % 15 == 0 else "fizz" if n % 3 == 0 else n, 1 < 2 < 3 != 4, not 0 or 5, [] or "empty", (d := n // 2) + d)
#### array, fractions and operator modules
import array, operator, numbers, fractions
a = array.array("i", [3, 1, 2]); print(a, a.itemsize, sorted(a), operator.itemgetter(1)([5, 6]), operator.mul(3, 4), sorted([{"k": 2}, {"k": 1}], key=operator.itemgetter("k")), isinstance(fractions.Fraction(1), numbers.Rational), operator.attrgetter("real")(3 + 1j))
