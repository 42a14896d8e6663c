import { appendFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { restartEvent, scalarsEvent, versionEvent } from "../report/tensorboard/event";
import { record } from "../report/tensorboard/record";
import { allEvents, type TrainEvents } from "../train/events";

/**
 * Writes every step into an event file of its own beside metrics.jsonl, then passes it on. A file that cannot be written is said once and costs
 * no run.
 */
export function tensorboardEvents(events: TrainEvents, runFolder: string, now = () => Date.now() / 1000): TrainEvents {
  const name = `events.out.tfevents.${Math.floor(now())}.${hostname()}.${process.pid}.0`;
  let failed = false;
  const write = (...messages: readonly Uint8Array[]) => {
    if (failed) return;
    try {
      appendFileSync(join(runFolder, name), Buffer.concat(messages.map(record)));
    } catch (error) {
      failed = true;
      events.onNotice(`no more TensorBoard events: ${error instanceof Error ? error.message : String(error)}`);
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
