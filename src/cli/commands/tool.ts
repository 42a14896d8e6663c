import { Command } from "commander";
import type { CommandContext } from "./context";
import { toolBenchCommand } from "./tool-bench";
import { toolReplCommand } from "./tool-repl";
import { toolRunCommand } from "./tool-run";

/** `zerotir tool`: the Python that models use, without a model. */
export function toolCommand(context: CommandContext): Command {
  const about = "the Python sandbox that models use";
  const command = new Command("tool").summary(about).description(about);
  for (const make of [toolRunCommand, toolReplCommand, toolBenchCommand]) command.addCommand(make(context));
  return command;
}
