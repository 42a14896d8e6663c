import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { prepare, tinyRun } from "./tiny-run";

it("--tool-policy frames the observations of a run", async () => {
  const root = await fs.mkdtemp(join(tmpdir(), "zerotir-policy-"));
  try {
    await prepare(root);
    const observations: Record<string, Set<string>> = {};
    for (const toolPolicy of ["zerotir", "torl"]) {
      const values = { maxSteps: 1, toolPolicy, maxCompletionLength: 48 };
      const { samples } = await tinyRun(root, toolPolicy, { values });
      const segments = samples.flatMap((sample) => sample.segments).filter(({ kind }) => kind === "observation");
      observations[toolPolicy] = new Set(segments.map(({ text }) => text.slice(text.lastIndexOf("```"))));
    }
    expect(observations).toEqual({ zerotir: new Set(["```\n\n\n"]), torl: new Set(["```\n"]) });
  } finally {
    await fs.rm(root, { recursive: true, force: true });
  }
});
