import { UserError } from "../base/errors";
import type { ChatTemplate } from "./chat-template";

/** How a question becomes the text of a prompt, and what ends an answer to it. */
export interface PromptTemplate {
  frame(question: string): string;
  /** End an answer beside the end-of-text tokens, and stay in it. */
  readonly stopStrings: readonly string[];
}

const THINK_AND_ANSWER =
  "The following is an exchange between a User, who poses a problem, and an Assistant, who solves it. The Assistant reasons step by step " +
  "before answering. The reasoning stands between <think> and </think>, the answer between <answer> and </answer>, in this way: " +
  "<think> the reasoning </think> <answer> the answer </answer>.";
const PYTHON_ALLOWED = " While reasoning, the Assistant may write Python code.";
const STEP_BY_STEP = "Reason step by step, and write the final answer inside \\boxed{}.";
const WITH_PROGRAMS =
  "Solve the problem by reasoning in natural language and by running programs, as each step needs it, and write the final answer inside \\boxed{}.";

/** Stop strings of ZeroTIR training, beside the end-of-sequence token. */
const ZEROTIR_STOPS = ["User:", "Human:", "Assistant:", "</answer>"];
/** A base model's end-of-text id is not the one that ends a turn. */
const CHATML_STOPS = ["<|im_end|>"];

function zero(pythonSentence: string): PromptTemplate {
  return {
    frame: (question) =>
      `${THINK_AND_ANSWER}${pythonSentence} User: Put the answer inside the <answer> tags, in the form \\boxed{answer}; ` +
      `only what \\boxed{} holds will be read.\nThis is the problem:${question}\nAssistant: <think>`,
    stopStrings: ZEROTIR_STOPS,
  };
}

/** The turn format of the Qwen models. */
function chatMl(system: string | undefined, user: (question: string) => string): PromptTemplate {
  const turn = (role: string, text: string) => `<|im_start|>${role}\n${text}<|im_end|>\n`;
  const opening = system === undefined ? "" : turn("system", system);
  return {
    frame: (question) => `${opening}${turn("user", user(question))}<|im_start|>assistant\n`,
    stopStrings: CHATML_STOPS,
  };
}

/**
 * - `none`: the question as it is.
 * - `nano`: the shortest frame, for the shipped small model; it ends by the end-of-sequence token alone.
 * - `zero-tir`: reasoning and answer tags, one sentence that allows Python; ends with `<think>` (ZeroTIR, arXiv
 * 2505.07773).
 * - `zero-no-tool`: the control, the same without that sentence.
 * - `torl`: a User asks for reasoning with programs and a boxed answer (ToRL, arXiv 2503.23383).
 * - `simple`: question, answer, step by step: for models that follow no instructions (SimpleRL-Zoo, arXiv 2503.18892).
 * - `qwen-boxed`: ChatML, the instruction after the question (SimpleRL-Zoo).
 * - `qwen25-math-cot`, `qwen25-math-tir`: ChatML, the instruction in the system turn (Qwen2.5-Math, arXiv 2409.12122).
 * - `dapo`: the answer on a last line `Answer: ...`, in one ChatML user turn (DAPO, arXiv 2503.14476).
 *
 * The words are ours, the structure is theirs.
 */
export const promptTemplates = {
  none: { frame: (question) => question, stopStrings: [] },
  nano: { frame: (question) => `User: ${question}\nAssistant:`, stopStrings: [] },
  "zero-tir": zero(PYTHON_ALLOWED),
  "zero-no-tool": zero(""),
  torl: {
    frame: (question) =>
      `This is a conversation between a User and an Assistant, who answers the User's questions.\nUser: ${WITH_PROGRAMS}\n${question}\nAssistant:\n`,
    stopStrings: ["User:"],
  },
  simple: {
    frame: (question) => `Question:\n${question}\nAnswer:\nLet us think step by step.\n`,
    stopStrings: ["Question:"],
  },
  "qwen-boxed": chatMl("You are a helpful assistant.", (question) => `${question}\n${STEP_BY_STEP}`),
  "qwen25-math-cot": chatMl(STEP_BY_STEP, (question) => question),
  "qwen25-math-tir": chatMl(WITH_PROGRAMS, (question) => question),
  dapo: chatMl(
    undefined,
    (question) =>
      "Solve the following mathematical problem step by step. The last line of the solution is to be of the form Answer: $Answer, " +
      `where $Answer is the answer to the problem and nothing else.\n\n${question}\n\nDo not forget the line of its own that begins with "Answer:".`,
  ),
} as const satisfies Record<string, PromptTemplate>;

/** A template of {@link promptTemplates}, or `chat`: the model's own, see {@link chatPrompts}. */
export type PromptTemplateName = keyof typeof promptTemplates | "chat";

export const promptTemplateNames: readonly PromptTemplateName[] = [
  ...(Object.keys(promptTemplates) as (keyof typeof promptTemplates)[]),
  "chat",
];

/** @throws UserError when no fixed template has this name. */
export function promptTemplate(name: string): PromptTemplate {
  const found = Object.entries(promptTemplates).find(([key]) => key === name);
  if (found !== undefined) return found[1];
  throw new UserError(
    `prompt template ${JSON.stringify(name)} does not exist, expected one of ${Object.keys(promptTemplates).join(", ")}`,
  );
}

/** The question as one user message of the model's own template. A turn ends with the model's end-of-text tokens. */
export function chatPrompts(template: ChatTemplate, systemPrompt: string | null): PromptTemplate {
  const system = systemPrompt === null ? [] : [{ role: "system", content: systemPrompt }];
  return { frame: (content) => template.render([...system, { role: "user", content }]), stopStrings: [] };
}
