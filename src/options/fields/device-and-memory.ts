/** Where the arithmetic is done, and how much of it at once. */
import * as z from "zod";
import { UserError } from "../../base/errors";
import { about, type OptionsOf } from "../option";
import type { Rule } from "../rule";

/** Where the arithmetic is done. */
export const deviceFields = {
  adapter: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Device and memory", "hardware, lavapipe, swiftshader or a part of a name; none: the best there is")),
  toggles: z
    .enum(["safe", "fast"])
    .default("safe")
    .meta(about("Device and memory", "fast leaves out WebGPU's bounds and validation checks")),
};

/** How many sequences are decoded at once, and how far ahead. */
export const decodingFields = {
  concurrency: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(
      about("Device and memory", "sequences decoded at once; none: all of a batch, at most 256 in sample and eval"),
    ),
  runAhead: z
    .int()
    .min(0)
    .max(64)
    .nullable()
    .default(null)
    .meta(
      about("Device and memory", "decode steps queued before their tokens are read back; none: 1 on a CPU, else 4"),
    ),
};

/** Memory that a run is to fit. */
export const gpuMemoryFields = {
  gpuMemory: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(
      about(
        "Device and memory",
        "memory of the GPU, such as 24GB: sizes that are not given are chosen to fit it; none: small ones",
      ),
    ),
};

/** How much of a batch is on the device at once. */
export const memoryFields = {
  microBatchTokens: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Device and memory", "tokens per forward and backward pass; none: what memory allows")),
  gradientCheckpointing: z
    .boolean()
    .default(false)
    .meta(about("Device and memory", "keep one activation per layer and compute the rest again")),
};

export type DeviceOptions = OptionsOf<typeof deviceFields>;
export type GpuMemoryOptions = OptionsOf<typeof gpuMemoryFields>;
export type MemoryOptions = OptionsOf<typeof memoryFields>;

/** A number of bytes that can be read. */
export const gpuMemoryRule: Rule<GpuMemoryOptions> = {
  keys: ["gpuMemory"],
  check({ gpuMemory }) {
    if (gpuMemory !== null) parseMemory(gpuMemory);
  },
};

/** Bytes of `24GB`, `24GiB`, `512MiB`. Decimal and binary units are told apart. @throws UserError for anything else */
export function parseMemory(text: string): number {
  const [, number, prefix = "", binary = ""] = /^(\d+(?:\.\d+)?)\s*([KMGT])(i?)B?$/i.exec(text.trim()) ?? [];
  const power = "KMGT".indexOf(prefix.toUpperCase()) + 1;
  const bytes = Number(number) * (binary === "" ? 1000 : 1024) ** power;
  if (prefix === "" || !Number.isFinite(bytes) || bytes <= 0)
    throw new UserError(`${JSON.stringify(text)} is no amount of memory; expected for example 24GB or 512MiB`);
  return Math.floor(bytes);
}
