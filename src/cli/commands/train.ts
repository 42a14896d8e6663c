import { Command } from "commander";
import type * as z from "zod";
import type { OptionsOf } from "../../options/option";
import type { OptionSet } from "../../options/option-set";
import { dpoOptions, pretrainOptions, sftOptions } from "../../options/supervised";
import { trainOptions } from "../../options/train";
import type { TrainingContext } from "../../run/context";
import { allEvents, type TrainEvents, type TrainSummary } from "../../session/events";
import type { CliIo } from "../io";
import { addOptions, type CommonFlags, layersOf, printResolved } from "../options";
import { JsonView } from "../render/json-view";
import { TrainView } from "../render/train-view";
import type { CommandContext } from "./context";

const TRAIN_EXAMPLES = `
Examples:
  zerotir train --preset nano                             the shipped model learns to use Python, in minutes
  zerotir train --preset nano --max-steps 60 --seed 7 --output-dir runs/seven
  zerotir train --resume-from-checkpoint latest --output-dir runs/seven --preset nano --max-steps 80
  zerotir train --model-name-or-path models/Qwen2.5-0.5B --dataset gsm8k.jsonl --learning-rate 1e-6
  zerotir train --preset nano --reward-funcs torl,execution_penalty --reward-weights 1,0.5
  zerotir train --preset nano --reward-funcs accuracy,./my_reward.mjs   a function of your own: docs/rewards.md
  zerotir train --config run.yaml --train.learning-rate 5e-6
  zerotir train --preset nano --dry-run > run.yaml        the options, as a file for --config`;

const PRETRAIN_EXAMPLES = `
Examples:
  zerotir pretrain --dataset nano --max-steps 1000 --output-dir runs/nano-base
  zerotir pretrain --dataset corpus.jsonl --model-config config.json --tokenizer models/my-tokenizer`;

/** `zerotir train`. */
export function trainCommand(context: CommandContext): Command {
  return trainingCommand(context, trainOptions, {
    summary: "reinforcement learning with Python as a tool",
    examples: TRAIN_EXAMPLES,
    run: (options, training) => context.runners.train(options, training),
  });
}

/** `zerotir pretrain`. */
export function pretrainCommand(context: CommandContext): Command {
  return trainingCommand(context, pretrainOptions, {
    summary: "next-token training on a corpus",
    examples: PRETRAIN_EXAMPLES,
    run: (options, training) => context.runners.pretrain(options, training),
  });
}

const SFT_EXAMPLES = `
Examples:
  zerotir sft --model-name-or-path models/Qwen2.5-0.5B --dataset conversations.jsonl --max-length 2048
  zerotir sft --model-name-or-path nano-base --dataset nano --max-length 256 --max-steps 100
  zerotir sft --model-name-or-path nano-base --dataset runs/seven/rollouts/step_00040.jsonl --min-reward 1`;

/** `zerotir sft`. */
export function sftCommand(context: CommandContext): Command {
  return trainingCommand(context, sftOptions, {
    summary: "training on given answers",
    examples: SFT_EXAMPLES,
    run: (options, training) => context.runners.sft(options, training),
  });
}

const DPO_EXAMPLES = `
Examples:
  zerotir dpo --model-name-or-path runs/sft/checkpoints/step_00100 --dataset pairs.jsonl --beta 0.1
  zerotir dpo --model-name-or-path models/Qwen2.5-0.5B --dataset pairs.jsonl --loss-type rpo --rpo-alpha 1 --use-peft`;

/** `zerotir dpo`. */
export function dpoCommand(context: CommandContext): Command {
  return trainingCommand(context, dpoOptions, {
    summary: "training on preferred and rejected answers",
    examples: DPO_EXAMPLES,
    run: (options, training) => context.runners.dpo(options, training),
  });
}

interface Training<Options> {
  readonly summary: string;
  readonly examples: string;
  readonly run: (options: Options, context: TrainingContext) => Promise<TrainSummary>;
}

function trainingCommand<Fields extends z.ZodRawShape>(
  { io, overrides, finish }: CommandContext,
  set: OptionSet<Fields>,
  { summary, examples, run }: Training<OptionsOf<Fields>>,
): Command {
  const command = addOptions(new Command(set.name).summary(summary).description(summary), set).addHelpText(
    "after",
    examples,
  );
  return command.action(async (flags: CommonFlags & Readonly<Record<string, unknown>>) => {
    const json = flags.json === true;
    const options = set.resolve(await layersOf(set, flags, overrides));
    if (flags.dryRun === true) {
      printResolved(set, options, json, io);
      return finish(0);
    }
    const { events, close } = watch(json, io);
    try {
      const result = await run(options, { signal: io.signal, announce: (line) => events.onNotice(line), events });
      finish(result.outcome === "finished" ? 0 : 1);
    } finally {
      close();
    }
  });
}

/** A person watches on standard output, or on standard error when a program reads the former. */
function watch(json: boolean, io: CliIo): { events: TrainEvents; close: () => void } {
  const view = new TrainView(json ? io.stderr : io.stdout, io.env);
  return { events: json ? allEvents(new JsonView(io.stdout), view) : view, close: () => view.close() };
}
