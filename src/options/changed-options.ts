import { parse } from "yaml";
import type { OptionInfo } from "./option";

/** Groups whose options do not touch what a step computes. */
const BESIDES: ReadonlySet<string> = new Set(["Run", "Evaluation", "Endpoint", "Device and memory"]);
/** A resumed run has its weights from the checkpoint, and a data set is the same wherever it was fetched. */
const REPLACED: ReadonlySet<string> = new Set(["modelNameOrPath", "offline"]);

/** Whether they are given decides if questions are kept out of training; what they are does not. */
const WHETHER: ReadonlySet<string> = new Set(["evalSamples", "evalDataset"]);

/**
 * Options with which a resumed run computes something else than the run did before, as `--learning-rate 0.001 instead
 * of 0.0005`. Options that the file does not have are left out: an older version wrote it.
 *
 * @param before the run's config.resolved.yaml
 */
export function changedOptions(
  set: { readonly infos: ReadonlyMap<string, OptionInfo> },
  before: string,
  options: Readonly<Record<string, unknown>>,
): string[] {
  const file: unknown = parse(before);
  if (typeof file !== "object" || file === null) return [];
  const old = new Map<string, unknown>(Object.entries(file));
  const hasCourse = (options.lrSchedulerType ?? "constant") !== "constant";
  // A run that samples ahead has nothing ready after its last step, and the reference of a KL penalty is read anew.
  const matters = ({ key, group }: OptionInfo) => {
    if (key === "maxSteps") return hasCourse || Number(options.maxStaleness ?? 0) > 0;
    if (key === "modelNameOrPath") return Number(options.beta ?? 0) !== 0;
    return WHETHER.has(key) || (!BESIDES.has(group) && !REPLACED.has(key));
  };
  return [...set.infos.values()].flatMap((info) => {
    if (!matters(info) || !old.has(info.fileKey)) return [];
    const [was, is] = [written(old.get(info.fileKey)), written(options[info.key])];
    const isSame = WHETHER.has(info.key) ? isGiven(was) === isGiven(is) : was === is;
    return isSame ? [] : [`--${info.flag} ${is} instead of ${was}`];
  });
}

function isGiven(value: string): boolean {
  return value !== "none" && value !== "0";
}

function written(value: unknown): string {
  if (value === null || value === undefined) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
