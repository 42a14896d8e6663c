import { expect, it } from "vitest";
import { afterPretraining, afterSupervised, afterTraining, goOn } from "../../src/session/next-commands";

const options = { preset: null, dataset: "my data.jsonl", promptTemplate: "zero-tir", maxToolCalls: 2 } as const;

it("commands to try next are taken by a shell as they are meant, whatever folders are called", () => {
  const [run, checkpoint] = ["runs/it's mine", "runs/it's mine/checkpoints/step_00040"];
  const next = [
    ...goOn("sft", run),
    ...afterTraining(options, run, checkpoint, false),
    ...afterPretraining("nano", checkpoint),
    ...afterSupervised(checkpoint),
  ].map(({ command }) => command.replace(/^npx zerotir /, ""));
  const start = String.raw`'runs/it'\''s mine`;
  const saved = `--model-name-or-path ${start}/checkpoints/step_00040'`;
  expect(next).toEqual([
    `sft --config ${start}/config.resolved.yaml' --resume-from-checkpoint latest`,
    `view ${start}'`,
    `sample --prompt-template zero-tir --tools python ${saved} "QUESTION"`,
    `eval --prompt-template zero-tir ${saved} --dataset 'my data.jsonl' --num-generations 8`,
    `train --preset nano ${saved}`,
    `train --dataset FILE.jsonl ${saved}`,
    `eval ${saved} --dataset FILE.jsonl`,
  ]);
});

it("an ordinary path needs no quotes", () => {
  expect(goOn("train", "/runs/2026-01-02_nano+x")[0]?.command).toBe(
    "npx zerotir train --config /runs/2026-01-02_nano+x/config.resolved.yaml --resume-from-checkpoint latest",
  );
});
