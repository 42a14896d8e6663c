/** What to try when a run has ended, in words that the command line takes. */

import { shellWord } from "../base/text";
import type { TrainOptions } from "../options/train";
import type { TrainSummary } from "./events";

type NextCommands = TrainSummary["next"];

/** The way on from an interrupted run. */
export function goOn(command: "train" | "pretrain" | "sft" | "dpo", runFolder: string): NextCommands {
  return [
    {
      command: `npx zerotir ${command} --config ${shellWord(`${runFolder}/config.resolved.yaml`)} --resume-from-checkpoint latest`,
      why: "go on where this run stopped",
    },
  ];
}

/** After reinforcement learning. Nothing was saved: nothing to go on with. */
export function afterTraining(
  options: Pick<TrainOptions, "preset" | "dataset" | "promptTemplate" | "maxToolCalls">,
  runFolder: string,
  checkpoint: string | undefined,
  interrupted: boolean,
): NextCommands {
  if (checkpoint === undefined) return [];
  if (interrupted) return goOn("train", runFolder);
  const { preset, dataset, promptTemplate, maxToolCalls } = options;
  // A preset brings frame and tool with it; without one the model must be asked as it was trained.
  const frame = preset === null ? ` --prompt-template ${promptTemplate}` : ` --preset ${preset}`;
  const tools = preset === null && maxToolCalls > 0 ? " --tools python" : "";
  const question = dataset === "nano" ? "47*86+5" : "QUESTION";
  return [
    { command: `npx zerotir view ${shellWord(runFolder)}`, why: "look at its curves and rollouts in the browser" },
    {
      command: `npx zerotir sample${frame}${tools} --model-name-or-path ${shellWord(checkpoint)} "${question}"`,
      why: "ask the trained model",
    },
    {
      command: `npx zerotir eval${frame} --model-name-or-path ${shellWord(checkpoint)}${preset === null ? ` --dataset ${shellWord(dataset)}` : ""} --num-generations 8`,
      why: "measure it with several samples per question",
    },
    ...(options.preset === "nano"
      ? [
          {
            command: "npx zerotir train --preset nano --max-tool-calls 0 --learning-rate 2e-4",
            why: "the control: without the tool there is little to learn",
          },
        ]
      : []),
  ];
}

/** After next-token training. */
export function afterPretraining(dataset: string, checkpoint: string): NextCommands {
  const rest = dataset === "nano" ? "--preset nano" : "--dataset FILE.jsonl";
  return [
    {
      command: `npx zerotir train ${rest} --model-name-or-path ${shellWord(checkpoint)}`,
      why: "go on with reinforcement learning",
    },
  ];
}

/** After training on answers or preferences. */
export function afterSupervised(checkpoint: string): NextCommands {
  return [
    {
      command: `npx zerotir train --dataset FILE.jsonl --model-name-or-path ${shellWord(checkpoint)}`,
      why: "go on with reinforcement learning",
    },
    {
      command: `npx zerotir eval --model-name-or-path ${shellWord(checkpoint)} --dataset FILE.jsonl`,
      why: "measure it",
    },
  ];
}
