import { camelCase } from "../options/option";
import { resolveTrainOptions, type TrainOptions, trainOptions } from "../options/train";

/** Short names that the address takes beside those of `zerotir train`. */
const SHORT = new Map([
  ["model", "modelNameOrPath"],
  ["steps", "maxSteps"],
]);

/** A page shows more than a terminal, and keeps only the newest checkpoint, which a lost GPU is survived with. */
const PAGE_DEFAULTS: Partial<TrainOptions> = {
  preset: "nano",
  evalSamples: 32,
  saveSteps: 5,
  saveTotalLimit: 1,
  logCompletionsSteps: 1,
  numCompletionsToPrint: 2,
};

/**
 * Options of a run: the nano preset, then what the page's address says (`?steps=20&learning-rate=0.001`: every option
 * of `zerotir train`), then the form.
 *
 * @param search the address's query
 * @throws UserError for an unknown option or a value out of range
 */
export function demoOptions(search: string, form: Partial<TrainOptions> = {}): TrainOptions {
  const values: Record<string, unknown> = {};
  for (const [name, text] of new URLSearchParams(search)) {
    const key = SHORT.get(name) ?? camelCase(name);
    values[key] = trainOptions.infos.has(key) ? trainOptions.parseFlag(key, text) : text;
  }
  return resolveTrainOptions([
    { source: "this page", spelling: "flag", values: PAGE_DEFAULTS },
    { source: "address of this page", spelling: "flag", values },
    { source: "form", spelling: "flag", values: form },
  ]);
}
