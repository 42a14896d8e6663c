/**
 * Entry of the worker in which a guest runs. It takes no program before it has seen that nothing but its parent is in
 * reach.
 */
import { type FromWorker, type ToWorker, workerCore } from "../worker-core";
import { openDoors } from "./self-test";

const handle = workerCore((message: FromWorker) => self.postMessage(message));

async function receive(message: ToWorker): Promise<void> {
  const doors = message.type === "init" ? await openDoors() : [];
  if (doors.length > 0) throw new Error(`the worker can ${doors.join(", ")}`);
  handle(message);
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  receive(data).catch(reportError);
};
