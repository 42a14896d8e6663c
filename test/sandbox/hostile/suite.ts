import type { Category } from "./case";
import { modules, processes } from "./escape";
import { files } from "./files";
import { introspection, network } from "./introspection";
import { memory } from "./memory";
import { output } from "./output";
import { recursion } from "./recursion";
import { tampering } from "./tamper";
import { time } from "./time";

/** Every hostile program of the suite. */
export const HOSTILE: readonly Category[] = [
  time,
  memory,
  recursion,
  output,
  modules,
  processes,
  network,
  introspection,
  files,
  tampering,
];
