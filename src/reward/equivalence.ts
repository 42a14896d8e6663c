import { type Budget, BudgetSpent } from "./budget";
import { AnswerComparison, type Policy } from "./compare/answers";
import { NoExactValue } from "./exact/rational";
import { parseAnswer } from "./latex/parser";
import { NotMathematics } from "./latex/tokens";
import type { Node } from "./latex/tree";
import { choiceLetter, spelledAlike } from "./spelling";

/**
 * Whether two bare answers say the same: as text, as a choice's letter, or as mathematics. False for what cannot be
 * read, and when the budget is spent.
 *
 * @param prediction the answer that is judged.
 * @param gold the answer that is right.
 */
export function semanticallyEqual(prediction: string, gold: string, policy: Policy, budget: Budget): boolean {
  const alike = spelledAlike(prediction, gold);
  if (alike !== undefined) return alike;
  const [choice, goldChoice] = [choiceLetter(prediction), choiceLetter(gold)];
  if (choice !== undefined && choice === goldChoice) return true;
  try {
    const comparison = new AnswerComparison(policy, budget);
    for (const reading of readings(prediction))
      for (const goldReading of readings(gold)) {
        const [a, b] = [read(reading), read(goldReading)];
        if (a !== undefined && b !== undefined && comparison.equivalent(a, b)) return true;
      }
    return false;
  } catch (error) {
    if (error instanceof BudgetSpent || error instanceof NoExactValue || error instanceof RangeError) return false;
    throw error;
  }
}

/** An answer as it stands; `3,5` also as a decimal with a comma, where it can be no number with thousands. */
function readings(text: string): string[] {
  const trimmed = text.trim();
  const comma = /^(-?\d+),(\d+)$/.exec(trimmed);
  if (comma === null || /^-?[1-9]\d{0,2},\d{3}$/.test(trimmed)) return [text];
  return [text, `${comma[1]}.${comma[2]}`];
}

function read(text: string): ReturnType<typeof parseAnswer> | undefined {
  try {
    return parseAnswer(text);
  } catch (error) {
    if (error instanceof NotMathematics || error instanceof NoExactValue || error instanceof RangeError)
      return undefined;
    throw error;
  }
}

/**
 * Whether a text is an answer by itself and no prose: it can be read as mathematics, and not as words alone, nor as a
 * sentence about a value.
 */
export function isMathematics(text: string): boolean {
  const node = read(text);
  if (node === undefined || node.kind === "words") return false;
  const isProse = (part: Node): boolean => part.kind === "words" && part.text.split(" ").length > 2;
  if (node.kind === "relation") return !node.sides.some(isProse);
  return node.kind !== "list" || !node.items.some((item) => item.kind === "words");
}
