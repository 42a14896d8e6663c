#!/usr/bin/env node
import { interruptSignal } from "./interrupt";
import { processIo } from "./io";
import { nodeRunners } from "./node-runners";
import { runCli } from "./program";

const argv = process.argv.slice(2);
const signal = interruptSignal(argv[0], process, (line) => process.stderr.write(`\n${line}\n`));
process.exitCode = await runCli(argv, processIo(signal), nodeRunners);
