import { closedBoxes } from "../boxed";

/**
 * What may stand between two boxes that are one answer: `\boxed{2} and \boxed{3}`, `y_1 = \boxed{..}, \quad y_2 =
 * \boxed{..}`.
 */
const CONNECTIVE =
  /^(?:and|or|for part \(?\w\)?|,|;|\\[()[\],;!]|\\q?quad|\$|\s|\\text\s*\{\s*(?:for part \(?\w\)?|and|or|,|\s)*\}|[A-Za-z](?:_\{?\w\}?)?\s*=)*$/;
const MOST_BETWEEN = 60;
const MOST_WORDS = 2;
const MOST_BOXES = 40;

/**
 * The answer in the last closed `\boxed{}`, together with those right before it that it is joined to.
 * @param adjacent whether boxes with nothing between them are one answer too: in a gold answer they are, in a
 * prediction the last one stands alone.
 * @returns undefined when there is no closed box.
 */
export function boxedAnswer(text: string, adjacent: boolean): string | undefined {
  const boxes = closedBoxes(text);
  const last = boxes.at(-1);
  if (last === undefined) return undefined;
  const answers = [last.content];
  for (let index = boxes.length - 2; index >= 0; index--) {
    const [box, next] = [boxes[index], boxes[index + 1]];
    if (box === undefined || next === undefined) break;
    const between = text.slice(box.end, next.start);
    if (!adjacent && !/[,;a-z=]/.test(between)) break;
    if (between.length > MOST_BETWEEN || !CONNECTIVE.test(between)) break;
    if ((between.match(/\b(?:and|or)\b/g)?.length ?? 0) > MOST_WORDS) break;
    answers.push(box.content);
    if (answers.length > MOST_BOXES) break;
  }
  return answers.every((answer) => answer === last.content) ? last.content : answers.reverse().join(", ");
}
