#### exponentials and logarithms
import math
print(math.exp(1), math.exp(-1), math.exp(0.5), math.exp(10), math.e ** 2, math.exp(-0.1), math.exp(100))
print(math.log(2), math.log(3), math.log(10), math.log(0.5), math.log(1e10), math.log(8, 2), math.log(1000, 10), math.log(7, 3))
print(math.log2(3), math.log2(10), math.log2(1e6), math.log10(2), math.log10(3), math.log10(123456), math.log1p(0.01), math.expm1(0.01))
#### powers
print(2 ** 0.5, 3 ** 0.5, 10 ** -3, 2 ** -1, 1.1 ** 10, 1.05 ** 20, 0.9 ** 50, 2 ** (1 / 3), 27 ** (1 / 3), 10 ** 0.3, 1.5 ** 2.5)
print(1.01 ** 365, 0.99 ** 365, 5 ** 0.25, 100 ** 1.5, 7 ** -2, (1 + 1 / 1000) ** 1000, (1 + 1e-6) ** 1e6, 12 ** -0.5)
print(pow(2, 0.1), pow(0.1, 0.1), pow(9.81, 3), (-8) ** (1 / 3), (-2.0) ** 3, 0.0 ** 0, 1e-5 ** 2)
#### a table of trigonometric values
import math
for d in range(0, 361, 15):
    r = math.radians(d)
    print(d, math.sin(r), math.cos(r), math.tan(r))
#### inverse trigonometry
import math
for k in range(-10, 11): print(k / 10, math.asin(k / 10), math.acos(k / 10), math.atan(k / 10), math.atan2(k, 7))
#### hyperbolic functions
import math
for x in (0.1, 0.5, 1, 1.5, 2, 3, 5): print(x, math.sinh(x), math.cosh(x), math.tanh(x), math.asinh(x), math.acosh(1 + x), math.atanh(x / 6))
#### compound interest
p = 1000.0
for y in range(1, 11):
    p *= 1.035
    print(y, p, 1000 * 1.035 ** y, 1000 * (1 + 0.035 / 12) ** (12 * y))
#### Newton's method
import math
def newton(f, d, x):
    for _ in range(50):
        step = f(x) / d(x); x -= step
        if abs(step) < 1e-15: break
    return x
print(newton(lambda x: x ** 3 - 2 * x - 5, lambda x: 3 * x ** 2 - 2, 2.0))
print(newton(lambda x: math.cos(x) - x, lambda x: -math.sin(x) - 1, 1.0))
print(newton(lambda x: math.exp(x) - 3 * x, lambda x: math.exp(x) - 3, 0.0))
print(newton(lambda x: x * math.log(x) - 1, lambda x: math.log(x) + 1, 2.0))
#### bisection
import math
def bisect(f, a, b):
    for _ in range(100):
        m = (a + b) / 2
        if f(a) * f(m) <= 0: b = m
        else: a = m
    return (a + b) / 2
print(bisect(lambda x: math.tan(x) - 2 * x, 0.5, 1.5), bisect(lambda x: x ** x - 100, 1, 5), bisect(lambda x: math.sin(x) - x / 2, 1, 3))
#### numerical integration
import math
def simpson(f, a, b, n=200):
    h = (b - a) / n
    return h / 3 * (f(a) + f(b) + 4 * sum(f(a + (2 * i - 1) * h) for i in range(1, n // 2 + 1)) + 2 * sum(f(a + 2 * i * h) for i in range(1, n // 2)))
print(simpson(math.sin, 0, math.pi), simpson(math.exp, 0, 1), simpson(lambda x: math.exp(-x * x), -5, 5), simpson(lambda x: 1 / (1 + x * x), 0, 1))
print(simpson(math.sqrt, 0, 4), simpson(lambda x: x ** 1.5 * math.log(1 + x), 0, 2))
#### series
import math
print(sum(1 / n ** 2 for n in range(1, 2001)), sum((-1) ** n / (2 * n + 1) for n in range(2000)), sum(1 / n ** 1.5 for n in range(1, 1001)))
print(sum(math.log(n) for n in range(1, 101)), sum(math.sin(n) for n in range(1, 101)), sum(math.exp(-n) for n in range(50)), math.lgamma(101))
#### gamma and error functions
import math
print([math.gamma(x) for x in (0.5, 1.5, 2.5, 3.3, 7.7, -0.5, 20.5)])
print([math.lgamma(x) for x in (0.5, 1.5, 2.5, 3.3, 7.7, -0.5, 100.5)])
print([math.erf(x) for x in (0.1, 0.5, 1, 1.3, 2, 3)], [math.erfc(x) for x in (0.1, 0.5, 1, 1.3, 2, 3, -2)])
#### cube roots and exp2
import math
print([math.cbrt(x) for x in (2, 3, 10, 27, 100, 1000, -8, 0.001)], [math.exp2(x) for x in (0.5, 1.5, -0.3, 10, 3.7)])
#### complex functions
import cmath
for z in (1 + 1j, -2 + 0.5j, 3 - 4j, 0.1j):
    print(cmath.exp(z), cmath.log(z), cmath.sqrt(z), cmath.sin(z), cmath.cos(z), z ** 2.5, z ** (1 + 1j), abs(z), cmath.phase(z), cmath.polar(z))
#### roots of unity in full
import cmath
for k in range(7): print(cmath.exp(2j * cmath.pi * k / 7), cmath.rect(1, 2 * cmath.pi * k / 7))
#### roots of a cubic by Durand and Kerner
r = [(0.4 + 0.9j) ** k for k in range(3)]
f = lambda x: x ** 3 - 3 * x ** 2 + 3 * x - 5
for _ in range(60):
    for i in range(3):
        q = 1
        for j in range(3):
            if i != j: q *= r[i] - r[j]
        r[i] -= f(r[i]) / q
print(r)
#### statistics
import statistics
d = [2.5, 3.1, 4.7, 5.0, 6.3, 7.7, 8.1]
print(statistics.mean(d), statistics.stdev(d), statistics.pstdev(d), statistics.variance(d), statistics.geometric_mean(d), statistics.harmonic_mean(d))
n = statistics.NormalDist(100, 15)
print(n.cdf(120), n.pdf(100), n.inv_cdf(0.95), statistics.NormalDist().cdf(1.96), n.overlap(statistics.NormalDist(110, 10)))
print(statistics.correlation([1, 2, 3, 4], [2.1, 3.9, 6.2, 7.8]), statistics.linear_regression([1, 2, 3, 4], [2.1, 3.9, 6.2, 7.8]))
#### seeded random numbers
import random
r = random.Random(42)
print(r.random(), r.uniform(1, 10), r.gauss(0, 1), r.gauss(0, 1), r.normalvariate(5, 2), r.expovariate(0.5), r.betavariate(2, 3))
print(r.gammavariate(2, 1), r.lognormvariate(0, 1), r.paretovariate(3), r.weibullvariate(1, 2), r.triangular(0, 1, 0.3), r.vonmisesvariate(0, 4))
#### law of cosines and area
import math
a, b, c = 7, 8, 9
s = (a + b + c) / 2
print(math.sqrt(s * (s - a) * (s - b) * (s - c)), [math.degrees(math.acos(v)) for v in ((b*b + c*c - a*a) / (2*b*c), (a*a + c*c - b*b) / (2*a*c), (a*a + b*b - c*c) / (2*a*b))])
#### great circle
import math
def distance(a, b, c, d):
    a, b, c, d = map(math.radians, (a, b, c, d))
    h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(h))
print(distance(52.52, 13.405, 48.8566, 2.3522), distance(40.7128, -74.006, 51.5074, -0.1278))
#### rotation and distance
import math
x, y = 1.0, 0.0
for k in range(12):
    t = math.pi / 6
    x, y = x * math.cos(t) - y * math.sin(t), x * math.sin(t) + y * math.cos(t)
    print(x, y, math.hypot(x, y), math.atan2(y, x))
#### Euler's method and Runge-Kutta
import math
def rk4(f, y, t, h):
    a = f(t, y); b = f(t + h / 2, y + h * a / 2); c = f(t + h / 2, y + h * b / 2); d = f(t + h, y + h * c)
    return y + h / 6 * (a + 2 * b + 2 * c + d)
y, z, t = 1.0, 1.0, 0.0
for _ in range(50):
    y = rk4(lambda t, y: -y + math.sin(t), y, t, 0.1); z += 0.1 * (-z + math.sin(t)); t += 0.1
print(y, z, t, (math.sin(t) - math.cos(t)) / 2 + 1.5 * math.exp(-t))
#### entropy and softmax
import math
p = [0.1, 0.2, 0.3, 0.4]
print(-sum(v * math.log2(v) for v in p), -sum(v * math.log(v) for v in p))
e = [math.exp(v) for v in (1.0, 2.0, 3.0, 4.1)]
print([v / sum(e) for v in e], math.log(sum(e)), [1 / (1 + math.exp(-v)) for v in (-2, -0.5, 0.3, 4)])
#### Fibonacci by Binet
import math
phi = (1 + math.sqrt(5)) / 2
print(phi, [phi ** n / math.sqrt(5) for n in range(1, 25)], round(phi ** 40 / math.sqrt(5)))
#### Stirling
import math
for n in (5, 10, 20, 50, 100): print(n, math.sqrt(2 * math.pi * n) * (n / math.e) ** n, math.factorial(n) / (math.sqrt(2 * math.pi * n) * (n / math.e) ** n))
#### large angles and extremes
import math
print(math.sin(1e6), math.cos(1e10), math.tan(1e15), math.sin(1e22), math.cos(2.0 ** 100), math.sin(1e300), math.exp(-745), math.exp(709.78), 2.0 ** -1074, 10.0 ** -320)
for f, x in ((math.exp, 710), (math.log, 0), (math.sqrt, -1), (math.asin, 2), (math.cosh, 800), (math.sin, math.inf)):
    try: print(f(x))
    except (ValueError, OverflowError) as e: print(type(e).__name__, e)
try: print(10.0 ** 400)
except OverflowError as e: print(type(e).__name__)
#### discrete Fourier transform
import cmath
x = [1.0, 2.0, 0.5, -1.0, 3.0, 0.0, -2.0, 1.5]
n = len(x)
for k in range(n): print(sum(x[j] * cmath.exp(-2j * cmath.pi * j * k / n) for j in range(n)))
#### formatting of computed numbers
import math
for v in (math.pi ** 10, math.e ** -20, 2 ** 0.5 * 1e17, 1 / 3e5, 123.456 ** 3.3): print(v, f"{v:.3f}", f"{v:e}", f"{v:.17g}", f"{v:g}", round(v, 2), str(v), "%.10f" % v)
