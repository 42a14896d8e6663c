/**
 * Entry of the thread that makes the assets of added packages: it takes seconds, in which its parent stays responsive.
 */
import { parentPort, workerData } from "node:worker_threads";
import { packageAssets } from "./packages";

parentPort?.postMessage(await packageAssets(workerData.assetFolder, workerData.packages));
