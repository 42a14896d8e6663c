import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isAlive } from "../../../src/platform/node/lock";
import type { PythonResult } from "../../../src/sandbox/engine";
import { createNodeSandbox, type NodeSandbox } from "../../../src/sandbox/node/sandbox";
import { until } from "../helper";
import { type HostileCase, limitsOf, SUITE_LIMITS } from "./case";
import { CASES, fault } from "./suite";
import { PROBE } from "./tamper";

const ROUNDS = 2;
const BENIGN = "import math, random\nprint(math.comb(10, 5), sum(range(100)), random.random())";
/** With the suite's seed. */
const BENIGN_OUTPUT = "252 4950 0.7431123787206563\n";
/** Resident memory of the sandbox process at rest: what it may gain in the last round, and what it may have. */
const GROWTH_MB = 150;
const CEILING_MB = 1024;

let engine: NodeSandbox;
let server: Server;
let connections = 0;
const folder = mkdtempSync(join(tmpdir(), "canary-"));
const canary = join(folder, "canary");
const linux = process.platform === "linux";

beforeAll(async () => {
  writeFileSync(canary, "sings");
  server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  engine = await createNodeSandbox({ memoryMb: SUITE_LIMITS.memoryMb });
});
afterAll(async () => {
  await engine.close();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Fields of /proc/PID/status: `VmRSS` in KiB, `Threads`. */
function processField(pid: number, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/**
 * Resident MiB of a process at rest: the least of two seconds, because threads that were ended are given back a little
 * later.
 */
async function residentAtRest(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 20; look++) {
    least = Math.min(least, processField(pid, "VmRSS") / 1024);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return least;
}

/** Process ids whose parent is the given process. */
function children(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1]?.split(" ")[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

function attempt(hostile: HostileCase): Promise<PythonResult> {
  const { port } = server.address() as AddressInfo;
  const code = hostile.code.replaceAll("{{CANARY}}", canary).replaceAll("{{PORT}}", String(port));
  return engine.run({ ...limitsOf(hostile), code });
}

test("every name is there once, and there are enough", () => {
  expect(new Set(CASES.map(({ id }) => id)).size).toBe(CASES.length);
  expect(CASES.length).toBeGreaterThanOrEqual(400);
});

test("two rounds: expected outcomes, identical results, an unharmed program after each", {
  timeout: 600_000,
}, async () => {
  const began = performance.now();
  const { pid } = engine;
  if (pid === undefined) throw new Error("the sandbox has no process");
  const run = (code: string) => engine.run({ ...SUITE_LIMITS, code });
  const fresh = await run(PROBE);
  expect(fresh).toMatchObject({ status: "ok", stderr: "", truncated: false });
  // After a program that tampers, the long look; after the others a plain one.
  const looks = CASES.map(({ id }) =>
    id.startsWith("tampering") ? { code: PROBE, stdout: fresh.stdout } : { code: BENIGN, stdout: BENIGN_OUTPUT },
  );
  const threads = linux ? processField(pid, "Threads") : 0;
  const resident: number[] = [];
  const rounds: PythonResult[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const probes: Promise<PythonResult>[] = [];
    const attempts = CASES.map((hostile, index) => {
      const result = attempt(hostile);
      probes.push(run(looks[index]?.code ?? ""));
      return result;
    });
    rounds.push(await Promise.all(attempts));
    const harmed = (await Promise.all(probes)).flatMap(({ status, stdout, stderr }, index) =>
      status === "ok" && stdout === looks[index]?.stdout ? [] : [{ before: CASES[index]?.id, status, stdout, stderr }],
    );
    expect(harmed).toEqual([]);
    if (linux) resident.push(await residentAtRest(pid));
  }
  const results = rounds.map((round) => round.map(({ status, stdout, stderr }) => ({ status, stdout, stderr })));
  const [first = []] = rounds;
  expect(CASES.flatMap((hostile, index) => fault(hostile, first[index] as PythonResult) ?? [])).toEqual([]);
  for (const later of results.slice(1)) expect(later).toEqual(results[0]);
  expect(connections).toBe(0);
  expect(readFileSync(canary, "utf8")).toBe("sings");
  expect(readdirSync(folder)).toEqual(["canary"]);
  // The same process still: no program has brought it down.
  expect(engine.pid).toBe(pid);
  if (linux) {
    expect(children(pid)).toEqual([]);
    // Terminated threads end a little later than their calls.
    expect(await until(() => processField(pid, "Threads") <= threads + 4, 10_000)).toBe(true);
    const growth = (resident.at(-1) ?? 0) - (resident.at(-2) ?? 0);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const sizes = resident.map((size) => size.toFixed(0)).join(", ");
    console.log(
      `hostile suite: ${CASES.length} programs x ${ROUNDS} in ${seconds} s; resident MiB after each round: ${sizes}`,
    );
    expect(growth).toBeLessThan(GROWTH_MB);
    expect(Math.max(...resident)).toBeLessThan(CEILING_MB);
  }
  await engine.close();
  expect(await until(() => !isAlive(pid), 5000)).toBe(true);
  if (linux) expect(children(process.pid).filter((child) => child === pid)).toEqual([]);
});
