import type { Sample } from "../session/events";

/** A trajectory to be shown, with its completion as numbers. */
export interface AnswerSample extends Sample {
  /** Tokens after the prompt, observations included. */
  readonly ids: readonly number[];
  readonly text: string;
  /** Of each token under the distribution it was drawn from; 0 for observations. */
  readonly logprobs: readonly number[];
}
