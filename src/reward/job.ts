import type { FinishReason } from "./answer-tags";

/** What a grader is told about a trajectory. Plain data: it crosses to a worker. */
export interface GradeJob {
  /** Text of the sampled tokens only. */
  readonly modelText: string;
  /** Text of all tokens after the prompt, tool output included. */
  readonly fullText: string;
  /** One right answer or several; an empty list when the row has none. Goes to graders only, never to the sandbox. */
  readonly gold: string | readonly string[];
  /** Executed code blocks, and how many of them did not end well. */
  readonly executions: number;
  readonly executionErrors: number;
  /** Whether the last executed block did not end well; false without executions. */
  readonly lastExecutionFailed: boolean;
  readonly finishReason: FinishReason;
  /** Sampled tokens. */
  readonly modelTokens: number;
  /** All tokens after the prompt, tool output included. */
  readonly totalTokens: number;
  /** What the trajectory's environment gave for it, or null; missing in a run without environments. */
  readonly environmentReward?: number | null;
}

/**
 * `model-tokens`: graders read sampled tokens only. `full-text`: everything after the prompt, as the ZeroTIR code does.
 */
export type RewardScope = "model-tokens" | "full-text";
