/** How tokens are drawn, and what a rollout batch is made of, and when. */
import * as z from "zod";
import { about } from "../option";
import type { RefusedOptions } from "../option-set";

const share = z.number().min(0).max(1);

/** How tokens are drawn, and how many. */
export const samplingFields = {
  maxPromptLength: z.int().min(1).default(512).meta(about("Sampling", "tokens; a longer prompt is an error")),
  maxCompletionLength: z
    .int()
    .min(1)
    .default(512)
    .meta(about("Sampling", "tokens after the prompt, observations included")),
  // Below, 1 / temperature nears the end of f32.
  temperature: z.number().min(1e-6).default(1).meta(about("Sampling", "divides the logits")),
};

/** What is left of the distribution that tokens are drawn from. */
export const truncationFields = {
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .meta(about("Sampling", "nucleus: smallest set of tokens with this much probability")),
  topK: z.int().min(0).default(0).meta(about("Sampling", "most probable tokens kept; 0 keeps all")),
  minP: share.default(0).meta(about("Sampling", "least probability relative to the most probable token")),
};

const cuts = (was: number) => ({
  was,
  why: "cuts the distribution that is sampled, and training would see another one; leave it off in train and use it in sample or eval",
});

/**
 * Training refuses {@link truncationFields}: log-probs of a truncated distribution cannot equal those of the full
 * softmax that it differentiates.
 */
export const wholeDistribution: RefusedOptions = { topP: cuts(1), topK: cuts(0), minP: cuts(0) };

/** What a rollout batch is made of, and when: which prompts, how many rounds, how old the weights may be. */
export const batchFields = {
  groupFilterMin: share
    .nullable()
    .default(null)
    .meta(about("Objective", "groups whose accuracy is not above this are dropped")),
  groupFilterMax: share
    .nullable()
    .default(null)
    .meta(about("Objective", "groups whose accuracy is not below this are dropped")),
  dynamicSampling: z
    .boolean()
    .default(false)
    .meta(
      about(
        "Sampling",
        "sample further prompts until --prompts-per-step groups pass the filter, which without bounds drops those all right or all wrong (DAPO)",
      ),
    ),
  maxSamplingRounds: z
    .int()
    .min(1)
    .max(64)
    .default(10)
    .meta(about("Sampling", "rounds of dynamic sampling before the step goes on with what has passed")),
  maxStaleness: z
    .int()
    .min(0)
    .max(1)
    .default(0)
    .meta(about("Sampling", "1: the next batch is sampled while this one is trained on, so it is one step old")),
  inFlightWeightUpdates: z
    .boolean()
    .default(false)
    .meta(
      about(
        "Sampling",
        "with --max-staleness 1: weights change under trajectories that are being sampled; such a run does not repeat exactly",
      ),
    ),
  promptSelection: z
    .enum(["none", "mopps"])
    .default("none")
    .meta(about("Sampling", "mopps: of a larger pool, the prompts whose success rate is likely near a half")),
  promptSelectionPool: z
    .number()
    .min(1)
    .max(64)
    .default(2)
    .meta(about("Sampling", "prompts looked at for each one that is sampled, with --prompt-selection mopps")),
  curriculumColumn: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "column of a number: rows come easiest first; none: all rows from the start")),
  curriculumSteps: z
    .int()
    .min(1)
    .default(100)
    .meta(about("Model and data", "steps until all rows come, with --curriculum-column")),
};
