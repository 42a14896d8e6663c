/**
 * Runs that are killed at random moments, while they save too, end as those that never stopped. ZEROTIR_KILLS says how
 * many in all; 3 unless it does.
 */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deterministicFiles } from "../train/tiny-run";
import { zerotir } from "./command-line";

const KILLS = Number(process.env.ZEROTIR_KILLS ?? 3);
const STEPS = 5;

const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ["as the preset has it", []],
  [
    "a batch ahead, dynamic sampling and a steered KL",
    ["--max-staleness", "1", "--dynamic-sampling", "--beta", "0.01", "--kl-target", "0.001", "--kl-horizon", "20"],
  ],
  ["a critic", ["--advantage-estimator", "gae", "--critic-learning-rate", "1e-3", "--critic-mini-batches", "2"]],
];
const KILLS_EACH = Math.max(1, Math.floor(KILLS / VARIANTS.length));

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-kill-"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const argv = (name: string, ...more: readonly string[]) => [
  ...["train", "--preset", "nano", "--output-dir", name, "--max-steps", String(STEPS), "--save-steps", "1"],
  ...[
    "--prompts-per-step",
    "2",
    "--num-generations",
    "4",
    "--eval-samples",
    "0",
    "--no-html-report",
    "--json",
    ...more,
  ],
];

/** Tells of each step as it ends, after which its checkpoint is written. */
const isStep = (line: string) => line.startsWith("{") && JSON.parse(line).event === "step";

/** What a run left in its folder of checkpoints. */
async function left(name: string): Promise<{ readonly whole: boolean; readonly half: boolean }> {
  const names = await fs.readdir(join(root, name, "checkpoints")).catch(() => []);
  return { whole: names.some((each) => /^step_\d+$/.test(each)), half: names.some((each) => each.endsWith(".tmp")) };
}

describe.each(VARIANTS)("%s", (_, options) => {
  test(
    `${KILLS_EACH} runs that are killed and resumed`,
    async () => {
      const times = [performance.now()];
      const onLine = (line: string) => {
        if (isStep(line)) times.push(performance.now());
      };
      expect(await zerotir(argv("whole", ...options), { cwd: root, onLine })).toMatchObject({ code: 0 });
      const durations = times.slice(1).map((time, index) => time - (times[index] ?? 0));
      const expected = await deterministicFiles(join(root, "whole"), STEPS);
      const counts = { killed: 0, resumed: 0, whileSaving: 0 };
      while (counts.killed < KILLS_EACH) {
        const after = Math.floor(Math.random() * STEPS);
        const delay = Math.random() * (durations[after] ?? 0);
        const when = `killed ${delay} ms after step ${after}`;
        let [done, timer]: [number, ReturnType<typeof setTimeout> | undefined] = [0, undefined];
        const kill = (child: ChildProcess) => {
          if (done++ === after) timer = setTimeout(() => child.kill("SIGKILL"), delay);
        };
        const first = await zerotir(argv("killed", ...options), {
          cwd: root,
          onStart: kill,
          onLine: (line, child) => {
            if (isStep(line)) kill(child);
          },
        });
        clearTimeout(timer);
        if (first.code === null) {
          counts.killed++;
          const { whole, half } = await left("killed");
          if (half) counts.whileSaving++;
          if (whole) counts.resumed++;
          // Before its first checkpoint nothing is there to go on from.
          else await fs.rm(join(root, "killed"), { recursive: true, force: true });
          const rest = whole ? ["--resume-from-checkpoint", "latest"] : [];
          const { code, stderr } = await zerotir(argv("killed", ...options, ...rest), { cwd: root });
          const isOver = whole && /is at step 5 already/.test(stderr);
          expect({ code, stderr, when }).toMatchObject({ code: isOver ? 2 : 0 });
          expect(await deterministicFiles(join(root, "killed"), STEPS), when).toEqual(expected);
          expect((await left("killed")).half).toBe(false);
        } else expect(first).toMatchObject({ code: 0 });
        await fs.rm(join(root, "killed"), { recursive: true, force: true });
      }
      await fs.rm(join(root, "whole"), { recursive: true, force: true });
      if (KILLS > 3) process.stderr.write(`${JSON.stringify({ options, ...counts })}\n`);
    },
    60_000 + KILLS_EACH * 240_000,
  );
});
