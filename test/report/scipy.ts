import { execFileSync, spawnSync } from "node:child_process";

const PYTHON = ["/usr/bin/python3", "python3"].find(
  (python) => spawnSync(python, ["-c", "import scipy"], { stdio: "ignore" }).status === 0,
);

/** Whether some python3 of this machine has scipy. */
export const hasScipy = PYTHON !== undefined;

/** Runs Python that reads `data` (JSON on standard input) and prints JSON. */
export function scipy(program: string, data: unknown): unknown {
  if (PYTHON === undefined) throw new Error("no python3 with scipy");
  const source = `import sys, json, math
import numpy as np
from scipy import stats, special, optimize
data = json.load(sys.stdin)
${program}`;
  return JSON.parse(
    execFileSync(PYTHON, ["-W", "ignore", "-c", source], {
      input: JSON.stringify(data),
      encoding: "utf8",
      maxBuffer: 1 << 28,
    }),
  );
}
