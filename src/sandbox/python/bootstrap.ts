/**
 * How the interpreter is started: no user site folder, program on standard input. Its standard library is part of the
 * wasm file (a read-only file system that the module carries in its own memory under /usr).
 */
export const PYTHON_ARGS = ["python", "-s", "-"] as const;

/**
 * Seen by the interpreter while it starts, and taken out of `os.environ` again: fixed hashes, and where BOOT_FILES lie.
 */
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
 * What the interpreter does at its end, as far as a program could notice: it flushes, drops the program's module and
 * collects cycles. Warnings that arise meanwhile name the place `sys:1`, as they do in CPython. Output that can't be
 * flushed is reported on stderr and makes the exit code 120.
 */
const finishSource = `
def finish(sys=sys, collect=gc.collect, weak=weakref.ref, own=(sys.stdout, sys.stderr), leave=os._exit, show=traceback.print_exception):
    def flush(streams):
        lost = None
        for stream in streams:
            try:
                if stream is not None and not getattr(stream, "closed", False):
                    stream.flush()
            except BaseException as error:
                lost = lost or (stream, error)
        return lost
    lost = flush((sys.stdout,))
    if lost:
        try:
            sys.stderr.write(f"Exception ignored in: {lost[0]!r}\\n")
            error = lost[1]
            show(type(error), error, error.__traceback__.tb_next)
        except BaseException:
            pass
    flush((sys.stderr, *own))
    sys.last_type = sys.last_value = sys.last_traceback = None
    main = weak(sys.modules.pop("__main__", sys))
    collect()
    if main() not in (None, sys):
        names = main().__dict__
        private = [name for name in names if name[:1] == "_" and name[:2] != "__"]
        for name in private + [name for name in names if name != "__builtins__"]:
            names[name] = None
        collect()
    flush((sys.stdout, sys.stderr, *own))
    if lost:
        leave(120)
`;

/**
 * Python that runs once, when the snapshot is made, before the first byte of a program is read. Objects are frozen out
 * of the garbage collector's reach, and a block of memory is freed so that small programs need not grow the heap.
 * `finish` is the first exit handler and so the last to run; the interpreter ends after it without undoing itself (see
 * scripts/build-python.mjs). The module is made after the freeze, or the collector would never look at it.
 */
const bootstrapSource = (extra: string) => `
import gc, importlib, sys
sys.dont_write_bytecode = True
sys.setrecursionlimit(1000)
for name in ${JSON.stringify(PRELOADED)}:
    importlib.import_module(name)
${extra}
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
import ast, atexit, traceback, weakref
tree = ast.parse(${JSON.stringify(finishSource)})
for node in ast.walk(tree):
    if hasattr(node, "lineno"):
        node.lineno = node.end_lineno = 1
place = {"__name__": "sys", "sys": sys, "gc": gc, "os": os, "traceback": traceback, "weakref": weakref}
exec(compile(tree, "sys", "exec"), place)
finish = place["finish"]
del ast, traceback, tree, node, place
atexit.register(finish)
gc.collect()
gc.freeze()
main = types.ModuleType("__main__")
main.__dict__.update(sys.modules["__main__"].__dict__)
sys.modules["__main__"] = main
del main
`;

/** The module that prepares the snapshot; `site` imports it by this name. */
export const BOOT_FILES = bootFiles("");

/**
 * Where added packages lie; the last folder of `sys.path`, so that none of them hides a module of the standard library.
 */
export const PACKAGE_FOLDER = "/packages";

/** Calls that fill a package's own caches, as the first of them in a program would take long. */
const FIRST_CALLS = new Map([
  ["sympy", 'x = sympy.Symbol("x"); sympy.solve(x**2 - 3*x + 2, x); sympy.simplify(x*(x + 1) - x**2); del x'],
]);

/** As BOOT_FILES, with the folder of added packages on the path and these modules of it imported. */
export function packageBootFiles(imports: readonly string[]): ReadonlyMap<string, Uint8Array> {
  const lines = imports.flatMap((name) => [`import ${name}`, FIRST_CALLS.get(name) ?? ""]);
  return bootFiles([`sys.path.append("${PACKAGE_FOLDER}")`, ...lines].join("\n"));
}

function bootFiles(extra: string): ReadonlyMap<string, Uint8Array> {
  return new Map([["/boot/sitecustomize.py", new TextEncoder().encode(bootstrapSource(extra))]]);
}
