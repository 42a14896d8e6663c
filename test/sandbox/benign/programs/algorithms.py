#### knapsack
def knap(items, W):
    d = [0] * (W + 1)
    for w, v in items:
        for c in range(W, w - 1, -1): d[c] = max(d[c], d[c - w] + v)
    return d[W]
print(knap([(12, 4), (2, 2), (1, 1), (1, 2), (4, 10)], 15))
#### coin change
def ways(coins, n):
    d = [1] + [0] * n
    for c in coins:
        for i in range(c, n + 1): d[i] += d[i - c]
    return d[n]
print(ways([1, 2, 5, 10, 20, 50, 100, 200], 200), ways([1, 5, 10, 25, 50], 100))
#### longest common subsequence
def lcs(a, b):
    d = [[""] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b): d[i + 1][j + 1] = d[i][j] + x if x == y else max(d[i][j + 1], d[i + 1][j], key=len)
    return d[-1][-1]
print(lcs("AGGTABQWERTY", "GXTXAYBWRETY"))
#### edit distance
from functools import lru_cache
def edit(a, b):
    @lru_cache(None)
    def f(i, j):
        if i == 0 or j == 0: return i + j
        return min(f(i - 1, j) + 1, f(i, j - 1) + 1, f(i - 1, j - 1) + (a[i - 1] != b[j - 1]))
    return f(len(a), len(b))
print(edit("kitten" * 5, "sitting" * 5))
#### partitions
from functools import cache
@cache
def p(n, k): return 1 if n == 0 else 0 if n < 0 or k == 0 else p(n - k, k) + p(n, k - 1)
print([p(n, n) for n in range(20)], p(100, 100))
#### lru_cache recursion to 300
from functools import lru_cache
@lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(300), fib.cache_info())
#### recursion near the default limit
def f(n): return 0 if n == 0 else 1 + f(n - 1)
print(f(500), f(900), f(980))
#### the default limit itself
import sys
def depth(n=1):
    try: return depth(n + 1)
    except RecursionError: return n
print(sys.getrecursionlimit(), depth())
#### mutual recursion
def even(n): return True if n == 0 else odd(n - 1)
def odd(n): return False if n == 0 else even(n - 1)
print(even(800), odd(701))
#### matrix power
def mul(a, b, m): return [[sum(x * y for x, y in zip(r, c)) % m for c in zip(*b)] for r in a]
def mpow(a, n, m):
    r = [[int(i == j) for j in range(len(a))] for i in range(len(a))]
    while n:
        if n & 1: r = mul(r, a, m)
        a = mul(a, a, m); n >>= 1
    return r
print(mpow([[1, 1], [1, 0]], 10**18, 10**9 + 7))
#### determinant by fractions
from fractions import Fraction
def det(m):
    m = [[Fraction(x) for x in r] for r in m]; d = Fraction(1)
    for i in range(len(m)):
        p = next((r for r in range(i, len(m)) if m[r][i]), None)
        if p is None: return 0
        if p != i: m[i], m[p] = m[p], m[i]; d = -d
        d *= m[i][i]
        for r in range(i + 1, len(m)):
            k = m[r][i] / m[i][i]
            m[r] = [x - k * y for x, y in zip(m[r], m[i])]
    return d
print(det([[2, -1, 0], [1, 3, 2], [0, 5, -4]]), det([[1 / 2, 3], [4, 5]]), det([[i * j + (i == j) for j in range(6)] for i in range(6)]))
#### linear equations
from fractions import Fraction as F
def solve(a, b):
    n = len(a); m = [[F(x) for x in r] + [F(y)] for r, y in zip(a, b)]
    for i in range(n):
        p = next(r for r in range(i, n) if m[r][i]); m[i], m[p] = m[p], m[i]
        m[i] = [x / m[i][i] for x in m[i]]
        for r in range(n):
            if r != i: m[r] = [x - m[r][i] * y for x, y in zip(m[r], m[i])]
    return [r[-1] for r in m]
print(*solve([[2, 1, -1], [-3, -1, 2], [-2, 1, 2]], [8, -11, -3]), *solve([[1, 2], [3, 5]], [1, 1]))
#### n queens
def queens(n, row=0, c=0, d=0, e=0):
    if row == n: return 1
    return sum(queens(n, row + 1, c | 1 << i, (d | 1 << i) << 1, (e | 1 << i) >> 1) for i in range(n) if not (c | d | e) >> i & 1)
print([queens(n) for n in range(1, 8)])
#### permutations that derange
from itertools import permutations
print([sum(all(i != x for i, x in enumerate(p)) for p in permutations(range(n))) for n in range(1, 8)])
#### combinations and products
from itertools import *
print(list(combinations("ABCD", 2)), len(list(product(range(3), repeat=4))), list(combinations_with_replacement([1, 2, 3], 2)))
print(list(accumulate([1, 2, 3, 4], lambda a, b: a * b)), list(chain.from_iterable([[1], [2, 3]])), list(islice(count(5, 3), 4)), list(zip_longest("ab", "xyz", fillvalue="-")))
print([(k, len(list(g))) for k, g in groupby("aaabbc")], list(takewhile(lambda x: x < 4, count())), list(dropwhile(str.isalpha, "ab1c")), list(pairwise([1, 4, 9])), list(starmap(pow, [(2, 5), (3, 2)])), list(compress("abcd", [1, 0, 1, 0])))
#### dijkstra
import heapq
g = {"A": {"B": 7, "C": 9, "F": 14}, "B": {"A": 7, "C": 10, "D": 15}, "C": {"A": 9, "B": 10, "D": 11, "F": 2}, "D": {"B": 15, "C": 11, "E": 6}, "E": {"D": 6, "F": 9}, "F": {"A": 14, "C": 2, "E": 9}}
d = {"A": 0}; q = [(0, "A")]
while q:
    c, u = heapq.heappop(q)
    if c > d[u]: continue
    for v, w in g[u].items():
        if c + w < d.get(v, 10**9): d[v] = c + w; heapq.heappush(q, (c + w, v))
print(sorted(d.items()))
#### heap, bisect, counter, deque
import heapq, bisect, collections
print(heapq.nsmallest(3, [5, 1, 8, 2]), heapq.nlargest(2, "hello"), list(heapq.merge([1, 4], [2, 3])), bisect.bisect_left([1, 3, 3, 5], 3), bisect.bisect([1, 3, 3, 5], 3))
c = collections.Counter("mississippi"); print(c, c.most_common(2), c - collections.Counter("miss"), sorted(c.elements()))
q = collections.deque(range(5), maxlen=3); q.rotate(1); q.appendleft(9); print(q)
d = collections.defaultdict(list); d["a"].append(1); print(d, collections.OrderedDict(a=1), collections.ChainMap({"a": 1}, {"b": 2})["b"])
P = collections.namedtuple("P", "x y", defaults=[0]); print(P(1), P(1, 2)._replace(x=5), P._fields)
#### union find
parent = list(range(10))
def find(x):
    while parent[x] != x: parent[x] = parent[parent[x]]; x = parent[x]
    return x
for a, b in ((1, 2), (3, 4), (2, 3), (5, 6), (8, 9)): parent[find(a)] = find(b)
print(len({find(i) for i in range(10)}), [find(i) == find(1) for i in range(6)])
#### breadth first search on a grid
from collections import deque
grid = ["S.#.....", "..#.###.", ".##.#...", "....#.#E"]
q = deque([(0, 0, 0)]); seen = {(0, 0)}
while q:
    r, c, n = q.popleft()
    if grid[r][c] == "E": print(n); break
    for a, b in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
        if 0 <= a < 4 and 0 <= b < 8 and grid[a][b] != "#" and (a, b) not in seen: seen.add((a, b)); q.append((a, b, n + 1))
#### tower of hanoi
moves = []
def hanoi(n, a, b, c):
    if n: hanoi(n - 1, a, c, b); moves.append(a + c); hanoi(n - 1, b, a, c)
hanoi(8, "A", "B", "C"); print(len(moves), moves[:7])
#### merge sort and quick sort
def ms(a):
    if len(a) < 2: return a
    l, r, o = ms(a[:len(a) // 2]), ms(a[len(a) // 2:]), []
    while l and r: o.append((l if l[0] <= r[0] else r).pop(0))
    return o + l + r
qs = lambda a: a if len(a) < 2 else qs([x for x in a[1:] if x < a[0]]) + a[:1] + qs([x for x in a[1:] if x >= a[0]])
x = [(i * 7919) % 211 for i in range(100)]
print(ms(x) == qs(x) == sorted(x), ms(x)[:10])
#### simulation with a linear congruential generator
s = 12345; inside = 0
for _ in range(20000):
    s = (1103515245 * s + 12345) % 2**31; x = s / 2**31
    s = (1103515245 * s + 12345) % 2**31; y = s / 2**31
    inside += x * x + y * y <= 1
print(4 * inside / 20000)
#### seeded random
import random
random.seed(2024)
print([random.randint(1, 6) for _ in range(10)], random.random(), random.sample(range(50), 5), random.choice("abc"), random.shuffle(x := list(range(8))), x, random.gauss(0, 1), random.choices([1, 2], [3, 1], k=5))
#### markov chain
from fractions import Fraction as F
p = [F(1), F(0), F(0)]
t = [[F(1, 2), F(1, 4), F(1, 4)], [F(1, 3), F(1, 3), F(1, 3)], [F(0), F(1, 2), F(1, 2)]]
for _ in range(6): p = [sum(p[i] * t[i][j] for i in range(3)) for j in range(3)]
print(*p, sum(p))
#### game of nim
from functools import lru_cache
@lru_cache(None)
def win(state): return any(not win(tuple(sorted(state[:i] + (state[i] - k,) + state[i + 1:]))) for i in range(len(state)) for k in range(1, state[i] + 1))
print([s for s in ((1, 2, 3), (1, 4, 5), (2, 2), (3, 5, 7), (1, 1, 1)) if not win(s)])
#### newton and bisection
f = lambda x: x**3 - 2 * x - 5
x = 2.0
for _ in range(8): x -= f(x) / (3 * x * x - 2)
lo, hi = 2.0, 3.0
for _ in range(60): mid = (lo + hi) / 2; lo, hi = (mid, hi) if f(mid) < 0 else (lo, mid)
print(x, lo, abs(x - lo) < 1e-12)
#### simpson rule
import math
def simpson(f, a, b, n): h = (b - a) / n; return h / 3 * (f(a) + f(b) + 4 * sum(f(a + i * h) for i in range(1, n, 2)) + 2 * sum(f(a + i * h) for i in range(2, n, 2)))
print(simpson(math.sin, 0, math.pi, 100), simpson(lambda x: x * x * x * x, 0, 1, 10))
#### polynomial arithmetic
class Poly:
    def __init__(self, *c): self.c = list(c)
    def __add__(s, o): return Poly(*[a + b for a, b in zip(s.c + [0] * len(o.c), o.c + [0] * len(s.c))][:max(len(s.c), len(o.c))])
    def __mul__(s, o):
        r = [0] * (len(s.c) + len(o.c) - 1)
        for i, a in enumerate(s.c):
            for j, b in enumerate(o.c): r[i + j] += a * b
        return Poly(*r)
    def __call__(s, x):
        v = 0
        for a in reversed(s.c): v = v * x + a
        return v
    def __repr__(s): return " + ".join(f"{a}x^{i}" for i, a in enumerate(s.c) if a) or "0"
p = Poly(1, 1)
for _ in range(5): p = p * Poly(1, 1)
print(p, p(2), p + Poly(0, -6))
#### pascal triangle
row = [1]
for n in range(10): print(" ".join(map(str, row)).center(50).rstrip()); row = [1] + [a + b for a, b in zip(row, row[1:])] + [1]
#### game of life
cells = {(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)}
for _ in range(20):
    near = {}
    for x, y in cells:
        for a in (-1, 0, 1):
            for b in (-1, 0, 1):
                if a or b: near[x + a, y + b] = near.get((x + a, y + b), 0) + 1
    cells = {c for c, n in near.items() if n == 3 or n == 2 and c in cells}
print(sorted(cells))
#### sudoku row of choices
from itertools import permutations
print([p for p in permutations(range(1, 10), 3) if p[0] * p[1] == p[2] + 10 and sum(p) % 2 == 0])
#### SEND + MORE = MONEY, pruned
for s in range(9, 10):
    for e in range(10):
        for n in ((e + 1) % 10,):
            for d in range(10):
                for r in (8,):
                    y = (d + e) % 10
                    if len({s, e, n, d, 1, 0, r, y}) == 8 and 1000 * s + 100 * e + 10 * n + d + 1000 + 0 + 10 * r + e == 10000 + 0 + 100 * n + 10 * e + y: print(s, e, n, d, y)
