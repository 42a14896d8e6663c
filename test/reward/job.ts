import type { GradeJob } from "../../src/reward/grade";

/** An empty response that ended by itself. */
export const someJob: GradeJob = {
  modelText: "",
  fullText: "",
  gold: "7",
  executions: 0,
  executionErrors: 0,
  lastExecutionFailed: false,
  finishReason: "stop",
  modelTokens: 0,
  totalTokens: 0,
};

/** A response without tool use. */
export function jobOf(text: string, more: Partial<GradeJob> = {}): GradeJob {
  return { ...someJob, modelText: text, fullText: text, ...more };
}
