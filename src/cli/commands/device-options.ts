/** Options of commands that open a GPU and have no option set. */

import { Option } from "commander";
import { dtypeFields } from "../../options/fields/adapter";

export type Toggles = "safe" | "fast";

export const adapterOption = () =>
  new Option("--adapter <text>", "hardware, lavapipe, swiftshader or a part of a name (default: the best there is)");

export const togglesOption = () =>
  new Option("--toggles <name>", "fast leaves out WebGPU's bounds and validation checks")
    .choices(["safe", "fast"])
    .default("safe");

export const jsonOption = (what: string) =>
  new Option("--json", `${what} on standard output, all else on standard error`);

/** How weight matrices lie in memory. */
export function dtypeOption(): Option {
  const { dtype } = dtypeFields;
  return new Option("--dtype <name>", "how weight matrices lie in memory")
    .choices(dtype.unwrap().options)
    .default("float32");
}
