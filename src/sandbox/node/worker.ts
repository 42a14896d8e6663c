/** Entry of a worker thread of the sandbox process. */
import { parentPort } from "node:worker_threads";
import { workerCore } from "../worker-core";
import { openDoors } from "./self-test";

const port = parentPort;
if (port === null) throw new Error("sandbox-worker runs only as a worker thread");
const doors = openDoors();
if (doors.length > 0) throw new Error(`the thread can ${doors.join(", ")}`);
port.on(
  "message",
  workerCore((message) => port.postMessage(message), globalThis.gc),
);
