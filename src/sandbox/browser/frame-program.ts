/**
 * The script of the sandbox frame. It starts the pool in a worker of its own, because a page in the background has slow
 * timers, and deadlines are timers.
 */
import { text } from "./pool-program?program";

addEventListener(
  "message",
  ({ ports }) => {
    const pool = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    pool.postMessage(null, [...ports]);
  },
  { once: true },
);
