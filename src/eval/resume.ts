/** Whether an output folder may be gone on with. */
import { UserError } from "../base/errors";
import type { RunFiles } from "../session/run-folder";
import type { Benchmark } from "./benchmarks";
import type { TargetPlan } from "./target";

const FILE = "eval.json";

/** Options that change no sample, in their spelling in files. */
const FREE = new Set([
  "preset",
  "output_dir",
  "concurrency",
  "run_ahead",
  "endpoint_key_env",
  "endpoint_concurrency",
  "endpoint_requests_per_minute",
  "endpoint_timeout",
  "endpoint_retries",
]);

/**
 * Writes down what the evaluation is made of, in a new folder; in an older one compares.
 * @throws UserError naming the first difference
 */
export async function refuseOtherOptions(
  files: RunFiles,
  options: Readonly<Record<string, unknown>>,
  targets: readonly TargetPlan[],
  benchmarks: readonly Benchmark[],
): Promise<void> {
  const now: Record<string, unknown> = Object.fromEntries(Object.entries(options).filter(([name]) => !FREE.has(name)));
  for (const { name, identity } of targets) now[`model ${name}`] = identity;
  for (const { name, rows, fingerprint } of benchmarks)
    now[`benchmark ${name}`] = `${rows.length} rows, hash ${fingerprint}`;
  const text = await files.read(FILE);
  if (text === undefined) {
    if ((await files.list("")).some((name) => !name.startsWith(".")))
      throw new UserError(`${files.path}: holds files of something else; choose another --output-dir`);
    await files.write(FILE, `${JSON.stringify(now, null, 2)}\n`);
    return;
  }
  const before = parsed(text, files.path);
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [was, is] = [JSON.stringify(before[name] ?? null), JSON.stringify(now[name] ?? null)];
    if (was !== is)
      throw new UserError(
        `${files.path}: was begun with ${name} ${was}, and this call has ${is}; give what it was begun with, or another --output-dir`,
      );
  }
}

function parsed(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    // Said below.
  }
  throw new UserError(`${path}/${FILE}: is no JSON object; choose another --output-dir`);
}
