/** The command line of the native engine: what of the machine is visible to Python, and with which limits it runs. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { promisify } from "node:util";
import { UserError } from "../../base/errors";
import type { PythonCall } from "../engine";

/** Where the programs lie, and the folders that Python needs beside /usr. */
export interface NativePaths {
  readonly bwrap: string;
  readonly prlimit: string;
  readonly python: string;
  readonly prefixes: readonly string[];
}

/** User and group "nobody". */
export const UNPRIVILEGED = 65534;

/** The largest file and the sum of all files, as in the `wasi` engine. */
const FILE_BYTES = 16 << 20;
const OPEN_FILES = 32;

/**
 * Runs the program of standard input as `__main__`. No name of it is left for the program to find, and its own frame
 * does not show in tracebacks.
 */
const LOADER = [
  "__import__('random').seed(__import__('sys').argv.pop())",
  "__import__('sys').excepthook = lambda k, v, t: __import__('traceback').print_exception(k, v, t and t.tb_next)",
  "exec(compile(__import__('sys').stdin.buffer.read(), '<stdin>', 'exec'))",
].join("\n");

const ENVIRONMENT = {
  PATH: "/usr/bin:/bin",
  HOME: "/tmp",
  LANG: "C.UTF-8",
  PYTHONHASHSEED: "0",
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONUTF8: "1",
  // Threads count as processes, of which there is one.
  OPENBLAS_NUM_THREADS: "1",
  OMP_NUM_THREADS: "1",
  MKL_NUM_THREADS: "1",
} as const;

/** Program and arguments that run one call; the program text goes to standard input. */
export function commandOf(paths: NativePaths, call: PythonCall): readonly [string, ...string[]] {
  const seconds = Math.ceil(call.timeoutMs / 1000) + 1;
  return [
    paths.bwrap,
    ...["--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session"],
    ...["--cap-drop", "ALL", "--uid", `${UNPRIVILEGED}`, "--gid", `${UNPRIVILEGED}`, "--hostname", "sandbox"],
    "--clearenv",
    ...Object.entries(ENVIRONMENT).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--ro-bind", "/usr", "/usr"],
    ...["bin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
    // Debian's libblas is reached through it.
    ...[
      "--ro-bind-try",
      "/etc/alternatives",
      "/etc/alternatives",
      "--ro-bind-try",
      "/etc/ld.so.cache",
      "/etc/ld.so.cache",
    ],
    ...paths.prefixes.flatMap((folder) => ["--ro-bind", folder, folder]),
    ...["--size", `${FILE_BYTES}`, "--tmpfs", "/tmp"],
    // Both are file systems in memory without a limit.
    ...["--dev", "/dev", "--remount-ro", "/dev", "--remount-ro", "/"],
    ...["--chdir", "/tmp", "--", paths.prlimit],
    ...[`--as=${call.memoryMb * 1024 * 1024}`, `--cpu=${seconds}:${seconds + 1}`, `--fsize=${FILE_BYTES}`],
    ...[`--nofile=${OPEN_FILES}`, "--nproc=1", "--core=0", "--"],
    ...[paths.python, "-s", "-c", LOADER, seedArgument(call.seed)],
  ];
}

/** Any seed, also one with a NUL or of a megabyte, as an argument. */
function seedArgument(seed: string): string {
  return createHash("sha256").update(seed).digest("hex");
}

/**
 * Finds what the engine needs on this machine.
 *
 * @throws UserError naming what is missing and what to do
 */
export async function findNative(options: { bwrap?: string; python?: string }): Promise<NativePaths> {
  if (process.platform !== "linux")
    throw new UserError(`--tool-engine native runs on Linux only, not on ${process.platform}; use wasi`);
  const bwrap = await locate(options.bwrap ?? "bwrap", "bubblewrap", "apt-get install bubblewrap");
  const prlimit = await locate("prlimit", "prlimit", "apt-get install util-linux");
  const system = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
  const python = await locate(options.python ?? system, "Python", "apt-get install python3");
  return { bwrap, prlimit, ...(await describe(python)) };
}

async function locate(name: string, what: string, remedy: string): Promise<string> {
  const found = name.includes("/")
    ? existsSync(name) && name
    : (process.env.PATH ?? "")
        .split(":")
        .map((folder) => `${folder}/${name}`)
        .find(existsSync);
  if (found) return found;
  throw new UserError(
    `--tool-engine native needs ${what}, and ${name} is not installed here; install it (${remedy}), or use --tool-engine wasi`,
  );
}

/** The real program behind a name or a shim, and the folders of its library and packages. */
async function describe(python: string): Promise<Pick<NativePaths, "python" | "prefixes">> {
  const ask = "import json,sys;print(json.dumps([sys.executable,sys.prefix,sys.base_prefix]))";
  const { stdout } = await promisify(execFile)(python, ["-I", "-c", ask], { env: process.env, timeout: 20_000 }).catch(
    (error: Error) => {
      throw new UserError(`--tool-engine native: ${python} does not run: ${error.message.split("\n")[0]}`);
    },
  );
  const answer: unknown = JSON.parse(stdout);
  const [executable, ...prefixes] = Array.isArray(answer) ? answer.map(String) : [];
  const own = [...new Set(prefixes)].filter((folder) => folder !== "/usr" && !folder.startsWith("/usr/"));
  if (executable === undefined || own.some((folder) => folder === "/" || `${homedir()}/`.startsWith(`${folder}/`)))
    throw new UserError(
      `--tool-engine native: ${python} is installed in ${own.join(", ")}, which would show the guest more than Python; use a Python in a folder of its own, or --tool-engine wasi`,
    );
  return { python: executable, prefixes: own };
}
