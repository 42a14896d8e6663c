/**
 * Prints the tests that a run left out and what each of them lacks, and how many of them lack nothing: those should
 * have run.
 *
 * node scripts/skipped-tests.mjs REPORT.json...   (reports of `vitest --reporter=json`)
 * The last line is the number of unexpected skips; the exit status is 1 when there is one.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** @param {string} command @param {string[]} argv */
const succeeds = (command, ...argv) => spawnSync(command, argv, { stdio: "ignore" }).status === 0;
/** @param {string} module */
const pythonHas = (module) => succeeds("python3", "-c", `import ${module}`);

/**
 * What tests may lack: which tests, what it is called, and whether it is here, in which case they should have run.
 * @type {{ tests: RegExp, lacks: string, isHere(): boolean }[]}
 */
const NEEDS = [
  {
    tests: /^test\/(?:data\/overlap|reward\/grader-cases|eval\/choices\/)/,
    lacks: "published data in ../shared/data",
    isHere: () => existsSync(join(root, "../shared/data")),
  },
  {
    tests: /^test\/sandbox\/native\./,
    lacks: "bubblewrap and the right to make namespaces",
    isHere: () => succeeds("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"),
  },
  {
    tests: /^test\/sandbox\/packages\./,
    lacks: "Debian's python3-sympy and python3-mpmath",
    isHere: () => ["sympy", "mpmath"].every((name) => existsSync(`/usr/lib/python3/dist-packages/${name}`)),
  },
  { tests: /^test\/report\/(?:fit|correlation)\./, lacks: "Python's scipy", isHere: () => pythonHas("scipy") },
  { tests: /is read by TensorBoard/, lacks: "Python's tensorboard", isHere: () => pythonHas("tensorboard") },
  { tests: /is read by Google's protobuf/, lacks: "Python's protobuf", isHere: () => pythonHas("google.protobuf") },
  { tests: /^test\/cli\/wandb\./, lacks: "Python 3", isHere: () => succeeds("python3", "--version") },
  {
    tests: /^test\/(?:platform\/run-place|train\/disk-full)\./,
    lacks: "the right to mount a file system",
    isHere: () => succeeds("unshare", "--mount", "mount", "-t", "tmpfs", "zerotir", "/mnt"),
  },
  {
    tests: /^test\/kernels\/wide-heads\./,
    lacks: "minutes to compile, allowed by ZEROTIR_WIDE_HEADS",
    isHere: () => process.env.ZEROTIR_WIDE_HEADS !== undefined,
  },
  {
    tests: /^test\/browser\/report\..*pictures/,
    lacks: "a run to picture, named by ZEROTIR_REPORT_RUN",
    isHere: () => process.env.ZEROTIR_REPORT_RUN !== undefined,
  },
];

/** A title that names the missing file itself (test/support/published.ts). */
const MISSING_FILE = /\(skipped: there is no (\S+)\)/;

/** @type {Map<object, string | undefined>} */
const reasons = new Map();

/** What a skipped test lacks; undefined when nothing. @param {string} title */
function reasonOf(title) {
  const [, file] = MISSING_FILE.exec(title) ?? [];
  if (file !== undefined) return existsSync(join(root, file)) ? undefined : `lacks ${file}`;
  const need = NEEDS.find(({ tests }) => tests.test(title));
  if (need === undefined) return undefined;
  if (!reasons.has(need)) reasons.set(need, need.isHere() ? undefined : `lacks ${need.lacks}`);
  return reasons.get(need);
}

let unexpected = 0;
for (const report of process.argv.slice(2)) {
  if (!existsSync(report)) continue;
  for (const { name, assertionResults } of JSON.parse(readFileSync(report, "utf8")).testResults)
    for (const { status, fullName } of assertionResults) {
      if (status === "passed" || status === "failed") continue;
      const title = `${relative(root, name)} > ${fullName}`;
      const reason = reasonOf(title);
      if (reason === undefined) unexpected++;
      console.log(`   ${title}: ${reason ?? "SKIPPED FOR NO KNOWN REASON"}`);
    }
}
console.log(unexpected);
process.exit(unexpected > 0 ? 1 : 0);
