import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { demoOptions } from "../../src/demo/options";
import { trainOptions } from "../../src/options/train";
import { nodeTrainingHost } from "../../src/platform/node/training-host";
import { tarFiles } from "../../src/platform/tar";
import { silentEvents } from "../../src/session/events";
import { deterministicPart, type MetricsRow } from "../../src/session/metrics";
import { runTraining } from "../../src/train/loop";
import { withoutTime } from "../support/records";

/** A run folder's files by name. */
export type RunFiles = ReadonlyMap<string, Uint8Array>;

/** What the button "Download run" gives. */
export async function downloadRun(page: Page): Promise<RunFiles> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  const files = tarFiles(await readFile(await download.path()));
  return new Map([...files].map(([name, bytes]) => [name.slice(name.indexOf("/") + 1), bytes]));
}

/** The run that the page does at this query, done in Node on SwiftShader. */
export async function trainInNode(query: string): Promise<RunFiles> {
  const outputDir = await mkdtemp(join(tmpdir(), "zerotir-node-run-"));
  const host = nodeTrainingHost(() => {});
  try {
    const options = { ...demoOptions(query), adapter: "swiftshader", outputDir };
    await runTraining(options, trainOptions.toYaml(options), host, silentEvents);
    const files = (await readdir(outputDir, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    return new Map(
      await Promise.all(
        files.map(async ({ parentPath, name }) => {
          const path = join(parentPath, name);
          return [path.slice(outputDir.length + 1), await readFile(path)] as const;
        }),
      ),
    );
  } finally {
    host.close();
    await rm(outputDir, { recursive: true, force: true });
  }
}

/** Rows of metrics.jsonl without their timings. */
export function metricsOf(files: RunFiles): MetricsRow[] {
  return linesOf(files, "metrics.jsonl").map((line) => deterministicPart(JSON.parse(line)));
}

/** The trajectories of all steps, one line each, without their timings. */
export function rolloutsOf(files: RunFiles): string[] {
  return [...files.keys()]
    .filter((name) => name.startsWith("rollouts/"))
    .sort()
    .flatMap((name) => linesOf(files, name).map(withoutTime));
}

function linesOf(files: RunFiles, name: string): string[] {
  return new TextDecoder().decode(files.get(name)).split("\n").slice(0, -1);
}
