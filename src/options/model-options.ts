/** From --dtype and the adapter's options to how a model is kept and what of it is trained. */
import type { WeightStorage } from "../../kernels/weight_storage";
import { UserError } from "../base/errors";
import { type AdapterConfig, adapterTargets } from "../model/adapter";
import type { ModelOptions } from "../model/model";
import type { TrainOptions } from "./train-options";

export type DtypeOptions = Pick<TrainOptions, "dtype">;
export type PeftOptions = Pick<
  TrainOptions,
  "usePeft" | "loraR" | "loraAlpha" | "loraTargetModules" | "useRslora" | "loraDropout"
>;

export const storageOf: Readonly<Record<TrainOptions["dtype"], WeightStorage>> = {
  float32: "f32",
  float16: "f16",
  bfloat16: "bf16",
  int8: "int8",
  int4: "int4",
};

/** How the model of a training run is kept: with a new adapter, or trained as a whole. */
export function trainedModelOptions(options: DtypeOptions & PeftOptions): ModelOptions {
  return { storage: storageOf[options.dtype], trained: options.usePeft ? newAdapter(options) : "everything" };
}

/** The adapter that the options describe where none is given. */
export function newAdapter({ loraR, loraAlpha, loraTargetModules, useRslora }: PeftOptions): AdapterConfig {
  return { rank: loraR ?? 16, alpha: loraAlpha ?? 32, targets: targetsOf(loraTargetModules), useRslora };
}

function targetsOf(names: PeftOptions["loraTargetModules"]): AdapterConfig["targets"] {
  const all = names === null || names.includes("all-linear");
  return adapterTargets.filter((target) => all || names.includes(target));
}

/** @throws UserError when options ask for another adapter than the folder at `where` holds */
export function refuseOtherAdapter(
  where: string,
  options: PeftOptions,
  { rank, alpha, targets, useRslora }: AdapterConfig,
) {
  const refuse = (flag: string, asked: unknown, held: unknown) => {
    throw new UserError(`${where}: holds an adapter of ${flag} ${held}, and ${flag} is ${asked}; leave the option out`);
  };
  if (!options.usePeft)
    throw new UserError(
      `${where}: holds a LoRA adapter; add --use-peft to go on training it, or merge it with zerotir export`,
    );
  if (options.loraR !== null && options.loraR !== rank) refuse("--lora-r", options.loraR, rank);
  if (options.loraAlpha !== null && options.loraAlpha !== alpha) refuse("--lora-alpha", options.loraAlpha, alpha);
  if (options.loraTargetModules !== null) {
    const [asked, held] = [targetsOf(options.loraTargetModules).join(), targets.join()];
    if (asked !== held) refuse("--lora-target-modules", asked, held);
  }
  if (options.useRslora && useRslora !== true) refuse("--use-rslora", true, false);
}

/** @throws UserError when the options contradict each other */
export function checkModelOptions(options: DtypeOptions & PeftOptions): void {
  const { dtype, usePeft, loraDropout } = options;
  if (!usePeft && (dtype === "int8" || dtype === "int4"))
    throw new UserError(
      `--dtype is ${dtype}, whose weights cannot be trained; add --use-peft to train an adapter over them, or use bfloat16`,
    );
  if (loraDropout !== 0)
    throw new UserError(`--lora-dropout is ${loraDropout}, but dropout is not implemented; set it to 0`);
  const flags = {
    "--lora-r": options.loraR !== null,
    "--lora-alpha": options.loraAlpha !== null,
    "--lora-target-modules": options.loraTargetModules !== null,
    "--use-rslora": options.useRslora,
  };
  for (const [flag, given] of Object.entries(flags))
    if (given && !usePeft) throw new UserError(`${flag} is an option of adapters; add --use-peft, or leave it out`);
}
