/** How the weights lie in memory, the adapter that is trained over them, and both in the terms of src/model. */
import * as z from "zod";
import type { WeightStorage } from "../../../kernels/weight_storage";
import { UserError } from "../../base/errors";
import { type AdapterConfig, adapterTargets } from "../../model/adapter";
import type { ModelOptions } from "../../model/model";
import { about, aboutNames, type OptionsOf, spelled } from "../option";
import type { RefusedOptions } from "../option-set";
import { type Rule, rulesOn } from "../rule";

/** How the weights lie in memory. */
export const dtypeFields = {
  dtype: z
    .enum(["float32", "float16", "bfloat16", "int8", "int4"])
    .default("float32")
    .meta(about("Model and data", "how weight matrices lie in memory; int8 and int4 cannot be trained themselves")),
};

/** Low-rank adapters, in the words of TRL's ModelConfig. */
export const peftFields = {
  usePeft: z.boolean().default(false).meta(about("Adapter", "train a LoRA adapter over the frozen model")),
  loraR: z.int().min(1).nullable().default(null).meta(about("Adapter", "rank; none: that of the adapter, or 16")),
  loraAlpha: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .meta(about("Adapter", "scale, divided by the rank; none: that of the adapter, or 32")),
  loraTargetModules: z
    .array(z.enum(["all-linear", ...adapterTargets]))
    .min(1)
    .nullable()
    .default(null)
    .meta(
      aboutNames(
        "Adapter",
        `all-linear, or some of ${adapterTargets.join(", ")}; none: those of the adapter, or all-linear`,
      ),
    ),
  useRslora: z.boolean().default(false).meta(about("Adapter", "divide alpha by the square root of the rank")),
};

export type DtypeOptions = OptionsOf<typeof dtypeFields>;
export type PeftOptions = OptionsOf<typeof peftFields>;

export const storageOf: Readonly<Record<DtypeOptions["dtype"], WeightStorage>> = {
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

const { demand } = rulesOn<DtypeOptions & PeftOptions>();

/** What every command that trains refuses. */
export const trainedModelRules: readonly Rule<DtypeOptions & PeftOptions>[] = [
  demand(
    ["dtype", "usePeft"],
    ({ dtype, usePeft }) => !usePeft && (dtype === "int8" || dtype === "int4"),
    ({ dtype }) =>
      `--dtype is ${dtype}, whose weights cannot be trained; add --use-peft to train an adapter over them, or use bfloat16`,
  ),
  ...(["loraR", "loraAlpha", "loraTargetModules", "useRslora"] as const).map((key) =>
    demand(
      [key, "usePeft"],
      (options) => !options.usePeft && options[key] !== null && options[key] !== false,
      `${spelled(key, "flag")} is an option of adapters; add --use-peft, or leave it out`,
    ),
  ),
];

/** Options of TRL's ModelConfig that every command that trains refuses. */
export const refusedPeftOptions: RefusedOptions = {
  loraDropout: { was: 0, why: "is not implemented; leave it out, which is a dropout of 0" },
};
