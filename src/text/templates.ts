import { UserError } from "./user-error";

/** A question becomes the text of a prompt. Base models get no chat template: this is all they see. */
export type PromptTemplate = (question: string) => string;

const THINK_AND_ANSWER =
  "The following is an exchange between a User, who poses a problem, and an Assistant, who solves it. The Assistant reasons step by step " +
  "before answering. The reasoning stands between <think> and </think>, the answer between <answer> and </answer>, in this way: " +
  "<think> the reasoning </think> <answer> the answer </answer>.";
const PYTHON_ALLOWED = " While reasoning, the Assistant may write Python code.";

function zeroPrompt(question: string, pythonSentence: string): string {
  return (
    `${THINK_AND_ANSWER}${pythonSentence} User: Put the answer inside the <answer> tags, in the form \\boxed{answer}; ` +
    `only what \\boxed{} holds will be read.\nThis is the problem:${question}\nAssistant: <think>`
  );
}

/**
 * - `nano`: the shortest frame, for the shipped small model.
 * - `zero-tir`: reasoning and answer tags, one sentence that allows Python; ends with `<think>` (ZeroTIR, arXiv 2505.07773).
 * - `zero-no-tool`: the control, the same without that sentence.
 */
export const promptTemplates = {
  nano: (question) => `User: ${question}\nAssistant:`,
  "zero-tir": (question) => zeroPrompt(question, PYTHON_ALLOWED),
  "zero-no-tool": (question) => zeroPrompt(question, ""),
} as const satisfies Record<string, PromptTemplate>;

/** @throws UserError when no template has this name. */
export function promptTemplate(name: string): PromptTemplate {
  const found = Object.entries(promptTemplates).find(([key]) => key === name);
  if (found !== undefined) return found[1];
  throw new UserError(
    `prompt template ${JSON.stringify(name)} does not exist, expected one of ${Object.keys(promptTemplates).join(", ")}`,
  );
}
