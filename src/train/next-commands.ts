/** What to try when a run has ended, in words that the command line takes. */
import type { TrainSummary } from "./events";

type NextCommands = TrainSummary["next"];

/** The way on from an interrupted run. */
export function goOn(command: "train" | "pretrain" | "sft" | "dpo", runFolder: string): NextCommands {
  return [
    {
      command: `npx zerotir ${command} --config ${runFolder}/config.resolved.yaml --resume-from-checkpoint latest`,
      why: "go on where this run stopped",
    },
  ];
}

/** After reinforcement learning. Nothing was saved: nothing to go on with. */
export function afterTraining(
  options: { readonly preset: string | null },
  runFolder: string,
  checkpoint: string | undefined,
  interrupted: boolean,
): NextCommands {
  if (checkpoint === undefined) return [];
  if (interrupted) return goOn("train", runFolder);
  const preset = options.preset === null ? "" : ` --preset ${options.preset}`;
  return [
    { command: `npx zerotir view ${runFolder}`, why: "look at its curves and rollouts in the browser" },
    {
      command: `npx zerotir sample${preset} --model-name-or-path ${checkpoint} "47*86+5"`,
      why: "ask the trained model",
    },
    {
      command: `npx zerotir eval${preset} --model-name-or-path ${checkpoint} --num-generations 8`,
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
      command: `npx zerotir train ${rest} --model-name-or-path ${checkpoint}`,
      why: "go on with reinforcement learning",
    },
  ];
}

/** After training on answers or preferences. */
export function afterSupervised(checkpoint: string): NextCommands {
  return [
    {
      command: `npx zerotir train --dataset FILE.jsonl --model-name-or-path ${checkpoint}`,
      why: "go on with reinforcement learning",
    },
    { command: `npx zerotir eval --model-name-or-path ${checkpoint} --dataset FILE.jsonl`, why: "measure it" },
  ];
}
