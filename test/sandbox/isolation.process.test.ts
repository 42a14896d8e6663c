/** From inside: what code could reach that has left the interpreter, and what is put in its place to look. */
import { fork } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createNodeSandbox } from "../../src/sandbox/node/sandbox";
import { runner } from "./helper";

const dist = join(import.meta.dirname, "../../dist");
const folder = mkdtempSync(join(tmpdir(), "isolation-"));
const canary = join(folder, "canary.txt");

/** A module that answers every call with what it could do, as JSON. */
const PROBE = `
import * as fs from "node:fs";
import * as inspector from "node:inspector";
import * as processes from "node:child_process";
import * as threads from "node:worker_threads";
const attempts = {
  readFile: () => fs.readFileSync(${JSON.stringify(canary)}, "utf8"),
  readFolder: () => fs.readdirSync("/"),
  readPasswords: () => fs.readFileSync("/etc/passwd", "utf8"),
  readParent: () => fs.readFileSync("/proc/" + process.ppid + "/environ", "utf8"),
  write: () => fs.appendFileSync(${JSON.stringify(canary)}, "!"),
  writeCode: () => fs.appendFileSync(new URL(import.meta.url), " "),
  rename: () => fs.renameSync(${JSON.stringify(canary)}, ${JSON.stringify(canary)}),
  link: () => fs.symlinkSync("/etc", fs.mkdtempSync(${JSON.stringify(join(folder, "link-"))}) + "/etc"),
  spawn: () => processes.spawnSync(process.execPath, ["--version"]),
  fork: () => processes.fork(${JSON.stringify(canary)}).kill(),
  shell: () => processes.execSync("true"),
  addon: () => process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6"),
  inspector: () => { inspector.open(0); inspector.close(); },
  evaluate: () => (0, eval)("1 + 1"),
  makeFunction: () => Function("return 1")(),
  walk: () => [].constructor.constructor("return 1")(),
  thread: () => new threads.Worker("1", { eval: true, execArgv: [] }),
};
const found = () => ({
  open: Object.keys(attempts).filter((name) => { try { attempts[name](); return true; } catch { return false; } }),
  environment: Object.keys(process.env),
  arguments: process.argv.slice(2),
});
const answer = (call) => {
  const result = { stderr: "", ms: 0, queueMs: 0, truncated: false };
  return { ...result, status: "ok", stdout: JSON.stringify(found()) };
};
`;
const IN_PROCESS = `${PROBE}
process.on("message", ({ type, id, call }) =>
  process.send(type === "init" ? { type: "ready" } : { type: "result", id, result: answer(call) }));`;
const IN_THREAD = `${PROBE}
threads.parentPort.on("message", ({ type, call }) =>
  threads.parentPort.postMessage(type === "init" ? { type: "ready" } : { type: "result", result: answer(call) }));`;

/** All of them but `addon`, whose file is no add-on. The last one is allowed to the process. */
const ATTEMPTS = [...PROBE.matchAll(/^ {2}(\w+): \(\) =>/gm)].flatMap(([, name]) => (name === "addon" ? [] : [name]));

/** A copy of the built sandbox in which one of its two programs is the probe. */
function copyWith(name: string, file: string, source: string): string {
  const copy = join(folder, name);
  for (const part of ["workers", "chunks"]) cpSync(join(dist, part), join(copy, part), { recursive: true });
  writeFileSync(join(copy, "package.json"), '{ "type": "module" }');
  writeFileSync(join(copy, "workers", file), source);
  return join(copy, "workers/sandbox-child.js");
}

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(canary, "untouched");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function probe(childPath: string): Promise<unknown> {
  const engine = await createNodeSandbox({ workerCount: 1, childPath });
  try {
    const { stdout } = await runner(() => engine)("");
    return JSON.parse(stdout);
  } finally {
    await engine.close();
  }
}

test("the probe finds what is open: in a process like any other, everything", async () => {
  const copy = copyWith("control", "probe.js", IN_PROCESS);
  const child = fork(join(copy, "../probe.js"), ["argument"], {
    env: { CANARY: "secret" },
    serialization: "advanced",
    silent: true,
  });
  const answered = once(child, "message");
  child.send({ type: "run", id: 0, call: {} });
  const [{ result }] = await answered;
  child.kill();
  const { open, environment, arguments: given } = JSON.parse(result.stdout);
  expect(open.filter((name: string) => name !== "addon")).toEqual(ATTEMPTS);
  expect(environment).toContain("CANARY");
  expect(given).toEqual(["argument"]);
  expect(readFileSync(canary, "utf8")).toBe("untouched!");
  writeFileSync(canary, "untouched");
});

test("the process can start its threads and do nothing else", async () => {
  expect(await probe(copyWith("process", "sandbox-child.js", IN_PROCESS))).toEqual({
    open: ["thread"],
    environment: [],
    arguments: [],
  });
  expect(readFileSync(canary, "utf8")).toBe("untouched");
});

test("a thread, where the guest runs, can do nothing", async () => {
  expect(await probe(copyWith("thread", "sandbox-worker.js", IN_THREAD))).toEqual({
    open: [],
    environment: [],
    arguments: [],
  });
  expect(readFileSync(canary, "utf8")).toBe("untouched");
});

test.runIf(process.platform === "linux")("the process has no file of its parent open, nor any other", async () => {
  const held = openSync(canary, "r");
  const engine = await createNodeSandbox({ workerCount: 2 });
  try {
    await runner(() => engine)("print(1)");
    const handles = `/proc/${engine.pid}/fd`;
    const targets = readdirSync(handles).map((number) => readlinkSync(join(handles, number)));
    expect(targets.filter((target) => !/^(?:socket|pipe|anon_inode):|^\/dev\/null$/.test(target))).toEqual([]);
    // Its channel to the parent, and none to anywhere else.
    expect(targets.filter((target) => target.startsWith("socket:"))).toHaveLength(1);
  } finally {
    await engine.close();
    closeSync(held);
  }
});
