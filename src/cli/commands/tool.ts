import type { CliCommand } from "../command";
import { bench } from "./tool-bench";
import { repl } from "./tool-repl";
import { run } from "./tool-run";

/** `zerotir tool`: the Python that models use, without a model. */
export const command: CliCommand = {
  summary: "the Python sandbox that models use",
  commands: { run, repl, bench },
};
