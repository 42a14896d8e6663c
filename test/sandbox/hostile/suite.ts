import type { PythonResult } from "../../../src/sandbox/engine";
import type { Category, HostileCase } from "./case";
import { modules, processes } from "./escape";
import { files } from "./files";
import { introspection, network } from "./introspection";
import { memory } from "./memory";
import { output } from "./output";
import { recursion } from "./recursion";
import { tampering } from "./tamper";
import { time } from "./time";

/** Every hostile program of the suite. */
export const HOSTILE: readonly Category[] = [
  time,
  memory,
  recursion,
  output,
  modules,
  processes,
  network,
  introspection,
  files,
  tampering,
];

/** The programs one by one, each under a name of its own. */
export const CASES: readonly HostileCase[] = HOSTILE.flatMap(({ category, cases }) =>
  cases.map((each) => ({ ...each, id: `${category}: ${each.id}` })),
);

/** What is wrong with an outcome, if anything. */
export function fault(hostile: HostileCase, { status, stdout, stderr }: PythonResult): string | undefined {
  const said = `${hostile.id}: ${status} ${JSON.stringify(stdout.slice(0, 200))} ${JSON.stringify(stderr.slice(-300))}`;
  if (![hostile.expect].flat().includes(status)) return said;
  const matches = (hostile.stdout?.test(stdout) ?? true) && (hostile.stderr?.test(stderr) ?? true);
  return matches ? undefined : `${said} does not match`;
}
