#!/usr/bin/env node
import { leaveOutDawnNotes } from "../run/own-process";
import { findCommand } from "./command-list";
import { interruptSignal } from "./interrupt";
import { processIo } from "./io";
import { runCli } from "./program";

leaveOutDawnNotes();
const argv = process.argv.slice(2);
const isGraceful = (await findCommand(argv[0]))?.isGraceful === true;
const signal = interruptSignal(isGraceful, process, (line) => process.stderr.write(`\n${line}\n`));
process.exitCode = await runCli(argv, processIo(signal));
