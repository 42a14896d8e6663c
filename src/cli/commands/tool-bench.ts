import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Command, Option } from "commander";
import { DEFAULT_LIMITS, type PythonEngine } from "../../sandbox/engine";
import { jsonLine } from "../io";
import { figure } from "../render/text";
import type { CommandContext } from "./context";
import { addEngineOptions, type EngineFlags, engineRequest, number } from "./tool-options";

interface BenchFlags extends EngineFlags {
  readonly calls: number;
  readonly workers?: number;
  readonly json?: boolean;
}

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
interface BenchRow {
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

/** `zerotir tool bench`: how many calls a second the sandbox takes, and whether its memory stays flat. */
export function toolBenchCommand({ io, runners, finish }: CommandContext): Command {
  const about = "calls per second, time per call and memory of the sandbox";
  const command = new Command("bench")
    .summary(about)
    .description(about)
    .addOption(new Option("--calls <n>", "calls of each program").argParser(number(1, 1_000_000, true)).default(200))
    .addOption(
      new Option("--workers <n>", "programs run at once (default: one per core, at most 4)").argParser(
        number(1, 256, true),
      ),
    );
  return addEngineOptions(command)
    .option("--json", "JSON lines on standard output, all else on standard error")
    .addHelpText("after", "\nExamples:\n  zerotir tool bench\n  zerotir tool bench --calls 10000 --json")
    .action(async (flags: BenchFlags) => {
      const workers = flags.workers ?? Math.min(availableParallelism(), 4);
      const engine = await runners.openTool(engineRequest(flags, workers));
      let wrong = 0;
      try {
        for (const program of PROGRAMS) {
          const row = await measure(engine, program, flags, workers);
          wrong += row.wrong;
          if (flags.json === true) jsonLine(io.stdout, row);
          else io.stdout.write(benchLine(row));
        }
      } finally {
        await engine.close();
      }
      finish(wrong === 0 ? 0 : 1);
    });
}

/** Keeps `workers` calls under way, one per worker, so that a call's time has no wait for others in it. */
async function measure(
  engine: PythonEngine,
  { name, code, output }: (typeof PROGRAMS)[number],
  { calls, timeout, memoryMb }: BenchFlags,
  workers: number,
): Promise<BenchRow> {
  const call = { ...DEFAULT_LIMITS, timeoutMs: timeout * 1000, memoryMb, code };
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
    medianMs: rounded(quantile(times, 0.5)),
    p95Ms: rounded(quantile(times, 0.95)),
    wrong,
    memoryBeforeMb,
    memoryAfterMb: residentMb(),
  };
}

function benchLine(row: BenchRow): string {
  const memory =
    row.memoryBeforeMb === null || row.memoryAfterMb === null
      ? ""
      : `, memory ${figure(row.memoryBeforeMb)} -> ${figure(row.memoryAfterMb)} MiB`;
  const wrong = row.wrong === 0 ? "" : `, ${row.wrong} WRONG`;
  return (
    `${row.program}: ${row.calls} calls, ${row.workers} at once: ${figure(row.callsPerSecond)} calls/s, ` +
    `median ${figure(row.medianMs)} ms, p95 ${figure(row.p95Ms)} ms${memory}${wrong}\n`
  );
}

/** Value of the sorted list below which this share of it lies (nearest rank). */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
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
