#### sum of a fraction series
from fractions import Fraction
print(sum(Fraction(1, n * (n + 1)) for n in range(1, 101)))
#### harmonic number
from fractions import Fraction
h = sum(Fraction(1, k) for k in range(1, 31))
print(h, h.numerator + h.denominator, float(h))
#### continued fraction of sqrt(23)
import math
def period(n):
    a0 = math.isqrt(n); m, d, a = 0, 1, a0; out = []
    while a != 2 * a0:
        m = d * a - m; d = (n - m * m) // d; a = (a0 + m) // d
        out.append(a)
    return a0, out
print(period(23), period(61))
#### limit_denominator
from fractions import Fraction
import math
for d in (10, 100, 1000, 10**6): print(Fraction(math.pi).limit_denominator(d))
#### sieve
def primes(n):
    s = bytearray([1]) * (n + 1); s[:2] = b"\0\0"
    for i in range(2, int(n**.5) + 1):
        if s[i]: s[i*i::i] = bytes(len(s[i*i::i]))
    return [i for i, v in enumerate(s) if v]
p = primes(10000)
print(len(p), p[-1], sum(p))
#### Miller-Rabin
def is_prime(n):
    if n < 2: return False
    for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        if n % p == 0: return n == p
    d, s = n - 1, 0
    while d % 2 == 0: d //= 2; s += 1
    for a in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(a, d, n)
        if x in (1, n - 1): continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1: break
        else: return False
    return True
print([n for n in range(10**12, 10**12 + 100) if is_prime(n)], is_prime(2**61 - 1), is_prime(2**67 - 1))
#### factorisation
def factor(n):
    out, d = {}, 2
    while d * d <= n:
        while n % d == 0: out[d] = out.get(d, 0) + 1; n //= d
        d += 1
    if n > 1: out[n] = out.get(n, 0) + 1
    return out
print(factor(2**32 - 1), factor(1001001), factor(720720))
#### modular inverse
print(pow(3, -1, 7), pow(12345, -1, 10**9 + 7), pow(2, 10**18, 10**9 + 7))
try: pow(2, -1, 4)
except ValueError as e: print(e)
#### extended gcd and CRT
def egcd(a, b): return (a, 1, 0) if b == 0 else (lambda g, x, y: (g, y, x - a // b * y))(*egcd(b, a % b))
print(egcd(240, 46))
def crt(rs, ms):
    M = 1
    for m in ms: M *= m
    return sum(r * (M // m) * pow(M // m, -1, m) for r, m in zip(rs, ms)) % M
print(crt([2, 3, 2], [3, 5, 7]))
#### big integers
n = 2**1000
print(n, len(str(n)), sum(map(int, str(n))))
print(100 ** 50 // 7 ** 30, -7 // 2, -7 % 3, divmod(-17, 5), (1 << 100) - 1)
#### factorials and binomials
import math
print(math.factorial(50), math.comb(52, 5), math.perm(10, 3), math.comb(1000, 500) % (10**9 + 7))
#### integer bits
print((12345678901234567890).bit_length(), bin(1023), hex(2**64), oct(511), (255).bit_count(), int("ff", 16), int("-0b101", 0))
print((1024).to_bytes(4, "big"), int.from_bytes(b"\x00\xff\x10", "little", signed=True), ~5, 6 ^ 3, 6 & 3, 6 | 3)
#### math functions
import math
print(math.sqrt(2), round(math.exp(1), 12), math.log(10), math.log2(1024), math.log10(1000), math.log(8, 2), math.gcd(84, 36, 120), math.lcm(4, 6, 10))
print(math.sin(1), math.cos(1), math.tan(1), math.atan2(1, -1), math.hypot(3, 4), math.degrees(math.pi), math.radians(180))
print(math.floor(-2.5), math.ceil(-2.5), math.trunc(-2.5), math.isclose(0.1 + 0.2, 0.3), math.fsum([0.1] * 10), sum([0.1] * 10), math.prod(range(1, 11)))
#### special functions
import math
print(*(f"{x:.12g}" for x in (math.gamma(5.5), math.lgamma(100), math.erf(0.5), math.erfc(2), math.sinh(1), math.cosh(1), math.tanh(1), math.asinh(1), math.acosh(2), math.atanh(.5))))
print(round(math.cbrt(27), 9), math.exp2(10), f"{math.expm1(1e-10):.12g} {math.log1p(1e-10):.12g}", math.nextafter(1, 2), math.ulp(1.0), math.frexp(10), math.ldexp(.5, 4), math.modf(3.25), math.remainder(7, 4))
#### float printing
for x in (0.1, 1/3, 1e16, 1e15, 123456789.123456789, 1e-5, 0.0001, 1e300 * 10, -0.0, 5e-324, 2**53 + 1.0, 1e22, 1e23): print(x, repr(x), x.hex())
print(float("inf") - float("inf"), float("nan") == float("nan"), (0.5).as_integer_ratio(), (2.5).is_integer())
#### rounding
print([round(x) for x in (0.5, 1.5, 2.5, -0.5)], round(2.675, 2), round(1234, -2), round(1e20), round(3.14159, 3), format(2.5, ".0f"))
#### division by steps
def long_division(a, b, digits):
    out = [str(a // b), "."]; r = a % b
    for _ in range(digits): r *= 10; out.append(str(r // b)); r %= b
    return "".join(out)
print(long_division(22, 7, 50)); print(long_division(355, 113, 40))
#### complex numbers
import cmath
z = 3 + 4j
print(abs(z), z.conjugate(), z * (1 - 2j), z / (1 - 2j), z ** 2, z ** 0.5, cmath.sqrt(-1), cmath.exp(1j * cmath.pi), cmath.phase(-1j), cmath.polar(1 + 1j))
print(complex("1+2j"), 1j ** 2, (1 + 0j) == 1, f"{z:.2f}")
#### roots of unity
import cmath
print([f"{cmath.exp(2j * cmath.pi * k / 5):.6f}" for k in range(5)])
#### decimal
from decimal import Decimal, getcontext, ROUND_HALF_UP, localcontext
getcontext().prec = 50
print(Decimal(2).sqrt(), Decimal(1) / Decimal(7), Decimal("0.1") + Decimal("0.2"), Decimal(10).ln(), Decimal(1).exp())
print(Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_UP), Decimal("1E+3").normalize(), Decimal(0.1))
with localcontext() as c:
    c.prec = 5
    print(Decimal(1) / 3)
#### pi by Machin
from decimal import Decimal, getcontext
getcontext().prec = 110
def arctan(x):
    p = Decimal(1) / x; s = p; n = 1; x2 = x * x
    while abs(p) > Decimal(10) ** -108: p /= -x2; n += 2; s += p / n
    return s
print(str(4 * (4 * arctan(5) - arctan(239)))[:102])
#### e by spigot
def e_digits(n):
    a = [1] * (n + 10); out = []
    for _ in range(n):
        c = 0
        for i in range(len(a) - 1, 0, -1):
            x = a[i] * 10 + c; a[i] = x % (i + 1); c = x // (i + 1)
        out.append(c)
    return "2." + "".join(map(str, out))
print(e_digits(50))
#### perfect numbers and divisors
def sigma(n): return sum(d for d in range(1, n + 1) if n % d == 0)
print([n for n in range(2, 500) if sigma(n) == 2 * n], [n for n in range(1, 300) if sigma(sigma(n) - n) - (sigma(n) - n) == n and sigma(n) != 2 * n])
#### euler totient sum
N = 2000
phi = list(range(N + 1))
for i in range(2, N + 1):
    if phi[i] == i:
        for j in range(i, N + 1, i): phi[j] -= phi[j] // i
print(sum(phi[1:]), phi[360])
#### collatz
best = max(range(1, 3000), key=lambda n: (lambda f: f(f, n))(lambda f, k: 1 if k == 1 else 1 + f(f, k // 2 if k % 2 == 0 else 3 * k + 1)))
print(best)
#### digits and palindromes
print(max(a * b for a in range(900, 1000) for b in range(a, 1000) if str(a * b) == str(a * b)[::-1]))
print([n for n in range(1000) if n == sum(int(c) ** len(str(n)) for c in str(n))])
#### pythagorean triples
print([(a, b, c) for c in range(1, 60) for b in range(1, c) for a in range(1, b) if a * a + b * b == c * c])
#### number bases
def to_base(n, b):
    s = ""
    while n: n, r = divmod(n, b); s = "0123456789abcdefghijklmnopqrstuvwxyz"[r] + s
    return s or "0"
print([to_base(10**10, b) for b in (2, 3, 7, 16, 36)], int("zz", 36))
#### integer square root
import math
print(math.isqrt(10**40 + 1), [n for n in range(200) if math.isqrt(n) ** 2 == n], math.dist((0, 0, 0), (1, 2, 2)))
