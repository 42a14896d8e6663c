import { CounterRandom } from "../../base/random";
import { promptTemplates } from "../../text/templates";
import { evaluateExpression } from "./expression";
import { nanoProblem } from "./problems";

export type NanoDocumentKind = "direct" | "python" | "python-wrong";

/** One pretraining document, in the pieces in which a rollout would make it. */
export interface NanoDocument {
  readonly kind: NanoDocumentKind;
  readonly prompt: string;
  /**
   * What follows the prompt: the model's own text, and the tool's output in between. The end of sequence is not part of
   * it.
   */
  readonly pieces: readonly { readonly text: string; readonly source: "model" | "tool" }[];
}

/** Percentage of documents that write Python, and how many of ten of those have a slip in the expression. */
const PYTHON_PERCENT = 15;
const WRONG_IN_TEN = 1;

/**
 * Document `index` of the corpus `seed`. 85% restate the expression and give the answer at once; 15% run it as Python,
 * through the real tool protocol, and read the answer from the output; in one of ten of these the code is not the
 * question's, so that the output is wrong and the answer still agrees with the output.
 */
export function nanoDocument(seed: number, index: number): NanoDocument {
  const { expression, answer } = nanoProblem(seed, index, "train");
  // A stream of its own, so that the kind of a document tells nothing about its problem.
  const random = new CounterRandom(~seed, index);
  const prompt = promptTemplates.nano.frame(expression);
  if (random.integer(0, 99) >= PYTHON_PERCENT)
    return { kind: "direct", prompt, pieces: [{ text: ` ${expression}=\\boxed{${answer}}`, source: "model" }] };
  const wrong = random.integer(0, 9) < WRONG_IN_TEN;
  const code = wrong ? slip(expression, random) : expression;
  const output = evaluateExpression(code);
  return {
    kind: wrong ? "python-wrong" : "python",
    prompt,
    pieces: [
      { text: `\n\`\`\`python\nprint(${code})\n\`\`\``, source: "model" },
      { text: `\n\`\`\`output\n${output}\n\`\`\`\n\n\n`, source: "tool" },
      { text: `\\boxed{${output}}`, source: "model" },
    ],
  };
}

/** Changes one digit or one operator; the result is still an expression, without leading zeros. */
function slip(expression: string, random: CounterRandom): string {
  for (;;) {
    const at = random.integer(0, expression.length - 1);
    const old = expression.charAt(at);
    if (old === "(" || old === ")") continue;
    const startsNumber = !/[0-9]/.test(expression.charAt(at - 1));
    const replacement = /[0-9]/.test(old)
      ? String(random.integer(startsNumber ? 1 : 0, 9))
      : random.pick(["+", "-", "*"]);
    if (replacement !== old) return expression.slice(0, at) + replacement + expression.slice(at + 1);
  }
}
