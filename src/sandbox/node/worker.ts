/** Entry of a worker thread of the sandbox process. */
import { parentPort } from "node:worker_threads";
import { workerCore } from "../worker-core";

const port = parentPort;
if (port === null) throw new Error("sandbox-worker runs only as a worker thread");
port.on(
  "message",
  workerCore((message) => port.postMessage(message)),
);
