import { appendFileSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { reasonOf } from "../base/errors";
import { record, restartEvent, scalarsEvent, versionEvent } from "../report/tensorboard";
import { allEvents, type TrainEvents } from "../session/events";

/**
 * Writes every step into an event file of its own beside metrics.jsonl, then passes it on. A file that cannot be
 * written is said once and costs no run.
 *
 * TensorBoard reads files in the order of their names and steps in that of their times, so both go forward even where
 * the wall clock is set back.
 *
 * @param wall seconds of the wall clock at the start
 * @param elapsed seconds since then
 */
export function tensorboardEvents(
  events: TrainEvents,
  runFolder: string,
  wall = Date.now() / 1000,
  elapsed = stopwatch(),
): TrainEvents {
  const begun = Math.max(wall, newestFile(runFolder) + 1);
  const now = () => begun + elapsed();
  const name = `events.out.tfevents.${Math.floor(begun)}.${hostname()}.${process.pid}.0`;
  let failed = false;
  const write = (...messages: readonly Uint8Array[]) => {
    if (failed) return;
    try {
      appendFileSync(join(runFolder, name), Buffer.concat(messages.map(record)));
    } catch (error) {
      failed = true;
      events.onNotice(`no more TensorBoard events: ${reasonOf(error)}`);
    }
  };
  return {
    ...allEvents(events),
    onPlan: (plan) => {
      const restart = plan.firstStep > 0 ? [restartEvent(now(), plan.firstStep + 1)] : [];
      write(versionEvent(now()), ...restart);
      events.onPlan(plan);
    },
    onStep: (row) => {
      const scalars = Object.entries(row).filter(
        (entry): entry is [string, number] =>
          entry[0] !== "step" && typeof entry[1] === "number" && Number.isFinite(entry[1]),
      );
      write(scalarsEvent(now(), row.step, scalars));
      events.onStep(row);
    },
  };
}

function stopwatch(): () => number {
  const begun = performance.now();
  return () => (performance.now() - begun) / 1000;
}

/** The time in the name of the newest event file; 0 where there is none. */
function newestFile(folder: string): number {
  try {
    const times = readdirSync(folder).map((name) => Number(/^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1] ?? 0));
    return Math.max(0, ...times);
  } catch {
    // The folder is yet to be made, or can't be read: then it can't be written either, which the first event says.
    return 0;
  }
}
