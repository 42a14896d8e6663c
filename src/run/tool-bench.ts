/** `tool bench`: how many calls a second the sandbox takes, how long one takes, and whether memory stays flat. */
import { readdirSync, readFileSync } from "node:fs";
import { at } from "../base/must";
import type { PythonEngine } from "../sandbox/engine";
import { defaultWorkers, type ToolRequest, withEngine } from "./tool";

/** What a maths model writes: exact fractions, a recursion with a cache, a loop over primes. */
const TYPICAL = `from fractions import Fraction
from functools import lru_cache

@lru_cache(maxsize=None)
def ways(n, k):
    if n == 0:
        return 1
    if n < 0 or k == 0:
        return 0
    return ways(n - k, k) + ways(n, k - 1)

primes = [n for n in range(2, 2000) if all(n % d for d in range(2, int(n ** 0.5) + 1))]
total = sum((Fraction(1, p) for p in primes[:40]), Fraction(0))
print(ways(60, 60), len(primes), total.limit_denominator(1000))
`;

const PROGRAMS = [
  { name: "print(1+1)", code: "print(1+1)", output: "2\n" },
  { name: "typical program", code: TYPICAL, output: "966467 303 650/339\n" },
] as const;

/** Figures of one program. A call's time, in milliseconds, is the caller's: all that the engine does is in it. */
export interface ToolBenchRow {
  readonly program: string;
  readonly calls: number;
  readonly workers: number;
  readonly callsPerSecond: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  /** Calls that did not give the program's output. */
  readonly wrong: number;
  /** Resident memory of this process and those it has started, in MiB; null where the system does not tell. */
  readonly memoryBeforeMb: number | null;
  readonly memoryAfterMb: number | null;
}

/**
 * @param calls of each program
 * @param onRow is given each program's figures when they are known
 * @throws UserError when the engine cannot be opened
 */
export function benchTool(
  { engine: request, limits }: ToolRequest,
  calls: number,
  onRow: (row: ToolBenchRow) => void,
): Promise<void> {
  const workerCount = request.workerCount ?? defaultWorkers();
  return withEngine({ ...request, workerCount }, async (engine) => {
    for (const program of PROGRAMS) onRow(await measure(engine, program, limits, calls, workerCount));
  });
}

/** Keeps `workers` calls under way, one per worker, so that a call's time has no wait for others in it. */
async function measure(
  engine: PythonEngine,
  { name, code, output }: (typeof PROGRAMS)[number],
  limits: ToolRequest["limits"],
  calls: number,
  workers: number,
): Promise<ToolBenchRow> {
  const call = { ...limits, code };
  // Starts every worker; their first call is not what is measured.
  await Promise.all(Array.from({ length: 2 * workers }, () => engine.run({ ...call, seed: "warm" })));
  const memoryBeforeMb = residentMb();
  const times: number[] = [];
  let [wrong, next] = [0, 0];
  const began = performance.now();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (next < calls) {
        const seed = String(next++);
        const asked = performance.now();
        const { status, stdout } = await engine.run({ ...call, seed });
        times.push(performance.now() - asked);
        if (status !== "ok" || stdout !== output) wrong++;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  return {
    program: name,
    calls,
    workers,
    callsPerSecond: rounded(calls / seconds),
    medianMs: rounded(nearestRank(times, 0.5)),
    p95Ms: rounded(nearestRank(times, 0.95)),
    wrong,
    memoryBeforeMb,
    memoryAfterMb: residentMb(),
  };
}

/** Quantile by nearest rank: a time that was measured. */
function nearestRank(sorted: readonly number[], share: number): number {
  return at(sorted, Math.max(0, Math.ceil(share * sorted.length) - 1));
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Resident memory of this process and all that descend from it, in MiB, read from /proc (Linux); elsewhere null. */
function residentMb(): number | null {
  try {
    const parents = new Map<string, string>();
    const sizes = new Map<string, number>();
    for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const status = readFileSync(`/proc/${id}/status`, "utf8");
        parents.set(id, /^PPid:\s*(\d+)/m.exec(status)?.[1] ?? "");
        sizes.set(id, Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0));
      } catch {
        // Ended meanwhile.
      }
    }
    const isOurs = (id: string | undefined): boolean =>
      id !== undefined && (id === String(process.pid) || isOurs(parents.get(id)));
    let kib = 0;
    for (const [id, size] of sizes) if (isOurs(id)) kib += size;
    return kib === 0 ? null : rounded(kib / 1024);
  } catch {
    return null;
  }
}
