/** The frame around a prompt, and which rows of a data set are meant. */
import * as z from "zod";
import { promptTemplateNames } from "../../text/templates";
import { about, type OptionsOf } from "../option";
import { type Rule, rulesOn } from "../rule";

export const promptFields = {
  promptTemplate: z
    .enum(promptTemplateNames)
    .default("zero-tir")
    .meta(about("Model and data", "frame around each question; chat: the model's own, as one user message")),
  systemPrompt: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "system message before the question, with --prompt-template chat")),
};

/** A checkpoint's folder, or what stands for it. */
export const modelField = z
  .string()
  .min(1)
  .meta(about("Model and data", "checkpoint folder in Hugging Face layout, or nano-base for the shipped model"));

export const offlineField = {
  offline: z.boolean().default(false).meta(about("Model and data", "never fetch a data set or a model")),
};

/** Which rows of a data set are meant, and where in them question and answer stand. */
export const datasetFields = {
  datasetSplit: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "split of --dataset, such as train or test; none: what suits the command")),
  datasetPromptColumn: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "column of the question, dots for nesting; none: found by the usual names")),
  datasetAnswerColumn: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Model and data", "column of the right answer, as reward_model.ground_truth; none: found")),
  ...offlineField,
};

export type PromptOptions = OptionsOf<typeof promptFields>;
export type DatasetOptions = OptionsOf<typeof datasetFields> & { readonly dataset: string };

/** A system message has a place in the model's own template alone. */
export const promptRule: Rule<PromptOptions> = rulesOn<PromptOptions>().demand(
  ["systemPrompt", "promptTemplate"],
  ({ systemPrompt, promptTemplate }) => systemPrompt !== null && promptTemplate !== "chat",
  ({ promptTemplate }) =>
    `--system-prompt needs --prompt-template chat; the template ${promptTemplate} has no place for a system message`,
);
