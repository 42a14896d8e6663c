"""Writes libm.json: arguments over usual ranges and what CPython 3.11 on Linux (glibc, a processor with FMA) makes of them.

    python3.11 test/sandbox/libm.py
"""
import json
import math
import pathlib
import random

random.seed(2025)
RANGES = {
    "exp": (-20, 20), "exp2": (-20, 20), "expm1": (-3, 3), "log": (0, 1000), "log2": (0, 1000), "log10": (0, 1000),
    "log1p": (-0.99, 10), "sin": (-20, 20), "cos": (-20, 20), "tan": (-20, 20), "asin": (-1, 1), "acos": (-1, 1),
    "atan": (-10, 10), "sinh": (-5, 5), "cosh": (-5, 5), "tanh": (-4, 4), "asinh": (-10, 10), "acosh": (1, 20),
    "atanh": (-1, 1), "cbrt": (-1000, 1000), "erf": (-4, 4), "erfc": (-6, 10),
}
PAIRS = {"pow": ((0, 20), (-10, 10)), "atan2": ((-20, 20), (-10, 10)), "hypot": ((-20, 20), (-10, 10))}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 5e-324, 1e-310, 1e-20, 1e15, 1e22, -1e300, math.inf, -math.inf, math.nan]


def argument(low, high):
    x = random.uniform(low, high)
    return random.choice([x, x, round(x, 1), round(x, 3), float(round(x))])


def row(function, *arguments):
    try:
        return " ".join(repr(x) for x in (*arguments, function(*arguments)))
    except (ValueError, OverflowError):
        return None


out = {}
for name, interval in RANGES.items():
    inputs = [argument(*interval) for _ in range(200)] + SPECIAL
    out[name] = [found for x in inputs if (found := row(getattr(math, name), x))]
for name, (first, second) in PAIRS.items():
    function = getattr(math, name) if name != "hypot" else lambda x, y: abs(complex(x, y))
    inputs = [(argument(*first), argument(*second)) for _ in range(200)] + [(x, y) for x in SPECIAL for y in SPECIAL]
    out[name] = [found for pair in inputs if (found := row(function, *pair))]
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text("{\n" + ",\n".join(f'  "{k}": {json.dumps(v)}' for k, v in out.items()) + "\n}\n")
