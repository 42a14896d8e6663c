/** Pure Python packages of the user inside the sandbox. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, afterEach, expect, test } from "vitest";
import { openNodeEngine } from "../../src/sandbox/node/open-engine";
import { createNodeSandbox, type NodeSandbox } from "../../src/sandbox/node/sandbox";
import { runner } from "./helper";

const folder = mkdtempSync(join(tmpdir(), "packages-"));
const cacheFolder = join(folder, "cache");
let engine: NodeSandbox | undefined;
afterEach(async () => {
  await engine?.close();
  engine = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(path: string, imports?: string[]) {
  engine = await createNodeSandbox({ workerCount: 1, packages: { path, cacheFolder, ...(imports && { imports }) } });
  const sandbox = engine;
  return runner(() => sandbox);
}

const SOURCES: Record<string, string> = {
  "shapes/__init__.py": "from .area import square\nloaded = ['at the snapshot']\n",
  "shapes/area.py": "def square(a): return a * a\n",
  "shapes/later.py": "def cube(a): return a ** 3\n",
  "shapes/tests/test_area.py": "1/0\n",
  "shapes/data.txt": "7",
  "fractions.py": "raise ImportError('a package took the place of the standard library')\n",
};

function writePackages(name: string, sources = SOURCES): string {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(sources)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const PROGRAM = `
import sys
print("shapes" in sys.modules, "shapes.later" in sys.modules)
import shapes, shapes.later, fractions
print(shapes.square(3), shapes.later.cube(2), shapes.loaded, fractions.Fraction(1, 2))
print(open("/packages/shapes/data.txt").read())
shapes.loaded.append("by a program")
shapes.square = None
for attempt in (lambda: open("/packages/shapes/data.txt", "w"), lambda: open("/packages/new.py", "w")):
    try: attempt(); print("written")
    except OSError: print("refused")
try: import shapes.tests
except ImportError: print("no tests")
`;
const ANSWER = "True False\n9 8 ['at the snapshot'] 1/2\n7\nrefused\nrefused\nno tests\n";

test("a folder: imported before the program begins, read-only, the same for every program, made once", async () => {
  const path = writePackages("plain");
  const run = await start(path, ["shapes"]);
  for (const _ of [1, 2]) expect(await run(PROGRAM)).toMatchObject({ status: "ok", stdout: ANSWER, stderr: "" });
  expect((await run("import random\nprint(random.random())")).stdout).toBe("0.21678429023386225\n");
  await engine?.close();
  const made = readdirSync(cacheFolder);
  expect(made).toHaveLength(1);
  expect((await (await start(path, ["shapes"]))(PROGRAM)).stdout).toBe(ANSWER);
  expect(readdirSync(cacheFolder)).toEqual(made);
});

/** An archive with one entry for each file, deflated. */
function zip(sources: Record<string, string>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [path, text] of Object.entries(sources)) {
    const [name, data] = [Buffer.from(path), deflateRawSync(text)];
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(Buffer.byteLength(text), 18);
    fields.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.from([0x50, 0x4b, 1, 2, 20, 0]), fields, place, name);
    parts.push(Buffer.from([0x50, 0x4b, 3, 4]), fields, name, data);
    at += 30 + name.length + data.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(sources).length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

test("a zip gives what the folder gives", async () => {
  const path = join(folder, "packages.zip");
  writeFileSync(path, zip(SOURCES));
  const run = await start(path, ["shapes"]);
  expect(await run(PROGRAM)).toMatchObject({ status: "ok", stdout: ANSWER, stderr: "" });
});

test("what can't be used is told in one sentence", async () => {
  const broken = writePackages("broken", { "broken.py": "1/0\n" });
  writeFileSync(join(folder, "text.zip"), "no archive");
  mkdirSync(join(folder, "empty"));
  const cases: [string, string[] | undefined, RegExp][] = [
    [join(folder, "absent"), undefined, /absent: no such file; expected a folder or zip/],
    [join(folder, "text.zip"), undefined, /text\.zip: not a zip that can be read \(it has no central directory\)/],
    [join(folder, "empty"), undefined, /empty: no Python package in it/],
    [broken, undefined, /broken: importing broken failed in the sandbox: .*division by zero/],
    [broken, ["os; import broken"], /not the name of a Python module/],
  ];
  for (const [path, imports, message] of cases)
    await expect(start(path, imports)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(message),
    });
});

test("packages are for the shipped interpreter only", async () => {
  const request = { engine: "native", url: null, memoryMb: 256, packages: "/somewhere" } as const;
  await expect(openNodeEngine(request)).rejects.toMatchObject({
    name: "UserError",
    message: "--tool-packages /somewhere is for --tool-engine wasi, but the engine is native; leave one of the two out",
  });
});

const debian = "/usr/lib/python3/dist-packages";
const SOLVE = `
from sympy import symbols, solve, integrate, Rational, sin
x, y = symbols("x y")
print(solve([x + y - 10, x - y - Rational(1, 3)], [x, y]))
print(solve(x**3 - 6*x**2 + 11*x - 6, x), integrate(x * sin(x), x))
`;
test.skipIf(!existsSync(join(debian, "sympy")) || !existsSync(join(debian, "mpmath")))(
  "sympy solves (skipped where Debian's python3-sympy and python3-mpmath are not installed)",
  async () => {
    const path = join(folder, "debian");
    mkdirSync(path);
    for (const name of ["sympy", "mpmath"]) symlinkSync(join(debian, name), join(path, name));
    const run = await start(path);
    const solved = {
      status: "ok",
      stdout: "{x: 31/6, y: 29/6}\n[1, 2, 3] -x*cos(x) + sin(x)\n",
      stderr: "",
    };
    for (const _ of [1, 2]) expect(await run(SOLVE)).toMatchObject(solved);
    const tooSmall = createNodeSandbox({ memoryMb: 48, packages: { path, cacheFolder } });
    await expect(tooSmall).rejects.toMatchObject({ name: "UserError", message: expect.stringContaining("48 MiB") });
  },
);
