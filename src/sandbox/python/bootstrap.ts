/**
 * How the interpreter is started: no user site folder, program on standard input. Its standard library is part of the
 * wasm file (a read-only file system that the module carries in its own memory under /usr).
 */
export const PYTHON_ARGS = ["python", "-s", "-"] as const;

/** Seen by the interpreter while it starts, and taken out of `os.environ` again: fixed hashes, and where BOOT_FILES lie. */
export const BOOT_ENVIRONMENT = ["PYTHONHASHSEED=0", "PYTHONPATH=/boot"] as const;

/** `random` is seeded with this while the snapshot is made; it marks the place of the generator's state in memory. */
export const MARK_SEED = 0x5eed;

/** Modules that programs for mathematics use; importing one of them in a call costs nothing. */
export const PRELOADED = [
  ..."abc array ast base64 bisect calendar cmath collections collections.abc contextlib copy csv dataclasses".split(
    " ",
  ),
  ..."datetime decimal enum fractions functools hashlib heapq io itertools json math numbers operator os".split(" "),
  ..."pprint queue random re statistics string struct sys textwrap time timeit traceback types typing".split(" "),
  ..."unicodedata warnings weakref zlib".split(" "),
] as const;

/**
 * Python that runs once, when the snapshot is made, before the first byte of a program is read. A block of
 * memory is freed so that small programs need not grow the heap.
 */
const BOOTSTRAP_SOURCE = `
import gc, importlib, sys
sys.dont_write_bytecode = True
sys.setrecursionlimit(1000)
for name in ${JSON.stringify(PRELOADED)}:
    importlib.import_module(name)
import fractions, decimal, json, re, statistics
str(fractions.Fraction(1, 3) + 1), str(decimal.Decimal(1) / 3), json.loads(json.dumps([1.5])), re.sub("a", "b", "ca")
re.purge()
slack = [bytearray(1 << 16) for _ in range(64)]
del slack
import random
random.seed(${MARK_SEED})
print(id(random._inst), flush=True)
import os
os.environ.clear()
sys.path.remove("/boot")
sys.path_importer_cache.pop("/boot")
import types
sys.modules["sitecustomize"] = types.ModuleType("sitecustomize")
gc.collect()
`;

/** The module that prepares the snapshot; `site` imports it by this name. */
export const BOOT_FILES: ReadonlyMap<string, Uint8Array> = new Map([
  ["/boot/sitecustomize.py", new TextEncoder().encode(BOOTSTRAP_SOURCE)],
]);
