"""Prints pairs of LaTeX expressions, one JSON list [left, right, equal] a line; equal is sympy's verdict. Arguments: number of pairs, seed."""

import json
import random
import sys

import sympy as sp

count, seed = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
x, y, n = sp.symbols("x y n")


def rational():
    return sp.Rational(rng.randint(-30, 30), rng.randint(1, 12))


def surd():
    return rational() * sp.sqrt(rng.choice([2, 3, 5, 6, 7, 8, 12, 18, 20, 45, 50])) + rational()


def polynomial():
    variables = rng.choice([[x], [x, y], [n]])
    return sum(
        (rng.randint(-6, 6) * sp.prod([v ** rng.randint(0, 3) for v in variables]) for _ in range(rng.randint(2, 4))),
        sp.Integer(rng.randint(-9, 9)),
    )


def quotient():
    bottom = polynomial()
    return polynomial() / bottom if bottom != 0 else polynomial()


def constant():
    return rng.choice(
        [
            lambda: rational() * sp.pi + rational(),
            lambda: surd() / (surd() or sp.Integer(1)),
            lambda: sp.sqrt(sp.Integer(rng.randint(2, 40)) + 2 * sp.sqrt(rng.randint(2, 20))),
            lambda: sp.Rational(rng.randint(1, 40), rng.randint(1, 9)) ** sp.Rational(rng.randint(1, 5), rng.choice([2, 3, 4])),
            lambda: sp.E ** rng.randint(-3, 3) + rational(),
            lambda: sp.log(rng.randint(2, 40)) * rational(),
            lambda: sp.cos(sp.pi * sp.Rational(rng.randint(0, 12), rng.choice([3, 4, 6]))) * rational(),
            lambda: sp.binomial(rng.randint(4, 12), rng.randint(0, 4)) * rational(),
            lambda: (rng.randint(-5, 5) + rng.randint(1, 5) * sp.I) * rational(),
        ]
    )()


def transcendental():
    return rng.choice(
        [
            lambda: sp.sin(2 * x) + rational(),
            lambda: sp.cos(x) ** 2 * rational() + sp.sin(x),
            lambda: sp.exp(rng.randint(1, 3) * x) * (x + rational()),
            lambda: sp.tan(x) ** 2 + rng.randint(1, 4),
            lambda: 2 ** (n + rng.randint(1, 4)) - rng.randint(1, 9),
            lambda: sp.log(x + rng.randint(1, 5)) * rational() + x,
        ]
    )()


KINDS = [rational, surd, polynomial, quotient, constant, transcendental]
FORMS = [
    sp.expand,
    sp.factor,
    sp.together,
    lambda e: sp.apart(e, x) if e.has(x) and not e.has(y) and e.is_rational_function() else sp.expand(e),
    sp.radsimp,
    sp.trigsimp,
    sp.expand_trig,
    lambda e: sp.expand(e + 1) - 1,
    lambda e: sp.Mul(e, 2, evaluate=False) / 2,
    lambda e: e,
]
CHANGES = [
    lambda e: e + rng.choice([1, -1, sp.Rational(1, 7), sp.Rational(1, 1000), sp.Rational(1, 10**9)]),
    lambda e: -e,
    lambda e: e * rng.choice([2, sp.Rational(1, 2), sp.Rational(10, 9), sp.Rational(10001, 10000)]),
    lambda e: e.subs(x, x + 1) if e.has(x) else e + sp.sqrt(2),
    lambda e: e.subs(x, -x) if e.has(x) else 1 / e if e != 0 else sp.Integer(1),
    lambda e: e.subs(x, y) if e.has(x) else e + sp.pi,
]

done = 0
while done < count:
    left = rng.choice(KINDS)()
    right = left if rng.random() < 0.5 else rng.choice(CHANGES)(left)
    try:
        right = rng.choice(FORMS)(right)
        if left.has(sp.zoo, sp.nan, sp.oo) or right.has(sp.zoo, sp.nan, sp.oo):
            continue
        difference = left - right
        equal = difference == 0 or sp.simplify(difference) == 0
        if not equal and difference.free_symbols == set() and abs(sp.N(difference, 40)) < sp.Float("1e-30"):
            equal = True
    except (TypeError, ValueError, NotImplementedError, sp.PolynomialError):
        continue
    print(json.dumps([sp.latex(left), sp.latex(right), bool(equal)]))
    done += 1
