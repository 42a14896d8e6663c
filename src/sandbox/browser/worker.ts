/** Entry of a dedicated Web Worker of the sandbox. */
import { type FromWorker, type ToWorker, workerCore } from "../worker-core";

const handle = workerCore((message: FromWorker) => self.postMessage(message));
self.onmessage = (event: MessageEvent<ToWorker>) => handle(event.data);
