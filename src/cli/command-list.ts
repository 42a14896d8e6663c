/**
 * Every command, in the order of --help. Each is loaded when it is asked for: `--version` and one command do not wait
 * for the options of all.
 */
import type { CliCommand, NamedOptions } from "./command";

type Load = () => Promise<{ readonly command: CliCommand }>;

const LIST: Readonly<Record<string, Load>> = {
  train: () => import("./commands/train"),
  pretrain: () => import("./commands/pretrain"),
  sft: () => import("./commands/sft"),
  dpo: () => import("./commands/dpo"),
  sample: () => import("./commands/sample"),
  eval: () => import("./commands/eval"),
  export: () => import("./commands/export"),
  "export-metrics": () => import("./commands/export-metrics"),
  grade: () => import("./commands/grade"),
  data: () => import("./commands/data"),
  view: () => import("./commands/view"),
  stats: () => import("./commands/stats"),
  doctor: () => import("./commands/doctor"),
  bench: () => import("./commands/bench"),
  plan: () => import("./commands/plan"),
  parity: () => import("./commands/parity"),
  tokenize: () => import("./commands/tokenize"),
  tool: () => import("./commands/tool"),
};

/** A command by its name; undefined when there is none. */
export async function findCommand(name: string | undefined): Promise<CliCommand | undefined> {
  return name !== undefined && Object.hasOwn(LIST, name) ? (await LIST[name]?.())?.command : undefined;
}

/** All commands by name, in the order of --help. */
export async function allCommands(): Promise<Record<string, CliCommand>> {
  const loaded = Object.entries(LIST).map(async ([name, load]) => [name, (await load()).command] as const);
  return Object.fromEntries(await Promise.all(loaded));
}

/** The option sets of the commands that have one. */
export async function allOptionSets(): Promise<NamedOptions[]> {
  return Object.values(await allCommands()).flatMap(({ options }) => options ?? []);
}
