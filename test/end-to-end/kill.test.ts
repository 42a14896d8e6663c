/** Runs that are killed at random moments end as those that never stopped. ZEROTIR_KILLS says how many; 3 unless it does. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deterministicFiles } from "../train/tiny-run";
import { zerotir } from "./command-line";

const KILLS = Number(process.env.ZEROTIR_KILLS ?? 3);
const STEPS = 5;

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-kill-"));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const argv = (name: string, ...more: readonly string[]) => [
  ...["train", "--preset", "nano", "--output-dir", name, "--max-steps", String(STEPS), "--save-steps", "1"],
  ...["--prompts-per-step", "2", "--num-generations", "4", "--eval-samples", "0", "--no-html-report", ...more],
];

async function hasCheckpoint(name: string): Promise<boolean> {
  const names = await fs.readdir(join(root, name, "checkpoints")).catch(() => []);
  return names.some((each) => /^step_\d+$/.test(each));
}

test(
  `${KILLS} runs that are killed and resumed`,
  async () => {
    const begun = performance.now();
    expect(await zerotir(argv("whole"), { cwd: root })).toMatchObject({ code: 0 });
    const seconds = (performance.now() - begun) / 1000;
    const expected = await deterministicFiles(join(root, "whole"), STEPS);
    let killed = 0;
    for (let i = 0; i < KILLS; i++) {
      const name = `killed-${i}`;
      const delay = Math.random() * seconds;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const first = await zerotir(argv(name), {
        cwd: root,
        onStart: (child) => {
          timer = setTimeout(() => child.kill("SIGKILL"), 1000 * delay);
        },
      });
      clearTimeout(timer);
      if (first.code === 0) continue;
      killed++;
      const resumes = await hasCheckpoint(name);
      // Before its first checkpoint nothing is there to go on from.
      if (!resumes) await fs.rm(join(root, name), { recursive: true, force: true });
      const rest = resumes ? ["--resume-from-checkpoint", "latest"] : [];
      const { code, stderr } = await zerotir(argv(name, ...rest), { cwd: root });
      const isOver = resumes && /is at step 5 already/.test(stderr);
      expect({ code, stderr, delay }).toMatchObject({ code: isOver ? 2 : 0 });
      expect(await deterministicFiles(join(root, name), STEPS), `killed after ${delay} s`).toEqual(expected);
      await fs.rm(join(root, name), { recursive: true, force: true });
    }
    expect(killed).toBeGreaterThan(0);
  },
  60_000 + KILLS * 120_000,
);
