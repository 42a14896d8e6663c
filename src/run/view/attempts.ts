/** attempts.jsonl of a run folder: two lines for each start of the run, what it ran on and how it ended. */
import { appendFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import manifest from "../../../package.json" with { type: "json" };
import { allEvents, silentEvents, type TrainEvents } from "../../session/events";

export const ATTEMPTS = "attempts.jsonl";

const start = z.object({
  event: z.literal("start"),
  time: z.string(),
  zerotir: z.string(),
  dawn: z.string(),
  node: z.string(),
  platform: z.string(),
  processor: z.string(),
  adapter: z.string(),
  model: z.string(),
  parameters: z.number(),
  dataset: z.string(),
  first_step: z.number(),
  max_steps: z.number(),
  batch: z.string(),
});

const end = z.object({
  event: z.literal("end"),
  time: z.string(),
  outcome: z.enum(["finished", "interrupted"]),
  step: z.number(),
  seconds: z.number(),
});

export const attemptLine = z.discriminatedUnion("event", [start, end]);
export type AttemptLine = z.output<typeof attemptLine>;

/** Events that also write attempts.jsonl; `done` waits for its last line, and throws what writing threw. */
export function recordAttempt(events: TrainEvents): {
  readonly events: TrainEvents;
  readonly done: () => Promise<void>;
} {
  let writing: Promise<void> = Promise.resolve();
  const write = (folder: string, line: AttemptLine) => {
    writing = writing.then(() => appendFile(join(folder, ATTEMPTS), `${JSON.stringify(line)}\n`));
    // Awaited by `done`, but perhaps not before the run fails for another reason.
    writing.catch(() => {});
  };
  const time = () => new Date().toISOString();
  return {
    done: () => writing,
    events: allEvents(
      {
        ...silentEvents,
        onPlan: ({ adapter, model, parameters, dataset, firstStep, maxSteps, batch, runFolder }) =>
          write(runFolder, {
            event: "start",
            time: time(),
            zerotir: manifest.version,
            dawn: manifest.dependencies.webgpu,
            node: process.version,
            platform: `${process.platform} ${process.arch}`,
            processor: `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}`,
            adapter,
            model,
            parameters,
            dataset,
            first_step: firstStep,
            max_steps: maxSteps,
            batch,
          }),
        onFinish: ({ outcome, step, seconds, runFolder }) =>
          write(runFolder, {
            event: "end",
            time: time(),
            outcome,
            step,
            seconds,
          }),
      },
      events,
    ),
  };
}
