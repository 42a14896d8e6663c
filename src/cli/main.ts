#!/usr/bin/env node
import { processIo } from "./io";
import { nodeRunners } from "./node-runners";
import { EXIT, runCli } from "./program";

const stop = new AbortController();
process.on("SIGINT", () => {
  if (stop.signal.aborted) process.exit(130);
  process.stderr.write("\nStopping after what is under way; press Ctrl-C again to quit at once.\n");
  stop.abort();
});
process.on("SIGTERM", () => {
  if (stop.signal.aborted) process.exit(143);
  stop.abort();
});

runCli(process.argv.slice(2), processIo(stop.signal), nodeRunners).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = EXIT.failed;
  },
);
