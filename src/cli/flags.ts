/** Flags of commands that have no option set, and the numbers that they take. */
import { InvalidArgumentError, Option } from "commander";

export type Toggles = "safe" | "fast";

export const adapterOption = () =>
  new Option("--adapter <text>", "hardware, lavapipe, swiftshader or a part of a name (default: the best there is)");

export const togglesOption = () =>
  new Option("--toggles <name>", "fast leaves out WebGPU's bounds and validation checks")
    .choices(["safe", "fast"])
    .default("safe");

export const jsonOption = (what: string) =>
  new Option("--json", `${what} on standard output, all else on standard error`);

/** Reads a number of a flag. */
export function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value <= most))
      throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`);
    return value;
  };
}

/** Reads a whole number of a flag. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`Expected a whole number ${range}.`);
    return value;
  };
}
