/** What the commands that train a model have in common. */
import type * as z from "zod";
import type { OptionsOf } from "../options/option";
import type { OptionSet } from "../options/option-set";
import type { TrainingContext } from "../run/context";
import { allEvents, type TrainEvents, type TrainSummary } from "../session/events";
import type { CliCommand } from "./command";
import type { CliIo } from "./io";
import { type CommonFlags, layersOf, printResolved } from "./options";
import { JsonView } from "./render/json-view";
import { TrainView } from "./render/train-view";

interface Training<Options> extends Pick<CliCommand, "summary" | "examples"> {
  /** Loads the work. */
  readonly load: () => Promise<(options: Options, context: TrainingContext) => Promise<TrainSummary>>;
}

/** A command that trains with the options of `set`, watched as it goes. */
export function trainingCommand<Fields extends z.ZodRawShape>(
  set: OptionSet<Fields>,
  { load, ...about }: Training<OptionsOf<Fields>>,
): CliCommand {
  return {
    ...about,
    options: set,
    isGraceful: true,
    build(command, context) {
      const { io, finish } = context;
      command.action(async (flags: CommonFlags & Readonly<Record<string, unknown>>) => {
        const json = flags.json === true;
        const options = set.resolve(await layersOf(set, flags, context));
        if (flags.dryRun === true) {
          printResolved(set, options, json, io);
          return finish(0);
        }
        const { events, close } = watch(json, io);
        try {
          const run = await load();
          const result = await run(options, { signal: io.signal, announce: (line) => events.onNotice(line), events });
          finish(result.outcome === "finished" ? 0 : 1);
        } finally {
          close();
        }
      });
    },
  };
}

/** A person watches on standard output, or on standard error when a program reads the former. */
function watch(json: boolean, io: CliIo): { events: TrainEvents; close: () => void } {
  const view = new TrainView(json ? io.stderr : io.stdout, io.env);
  return { events: json ? allEvents(new JsonView(io.stdout), view) : view, close: () => view.close() };
}
