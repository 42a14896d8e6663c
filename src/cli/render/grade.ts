import type { Graded } from "../../run/grade";
import { plainText } from "./text";

const MOST_ROWS = 20;

/** One verdict in a sentence. */
export function verdictText({ row, verdict, extracted }: Graded): string {
  const answer = extracted === null ? "no answer found" : plainText(extracted);
  return `${verdict ? "right" : "wrong"}: ${answer} (gold ${plainText(String(row.gold))})`;
}

/** The first wrong rows, and totals; where rows have a verdict, the first on which we differ. */
export function verdictTable(graded: readonly Graded[], columns: number): string[] {
  const judged = graded.filter(({ row }) => row.verdict !== undefined);
  const shown =
    judged.length > 0
      ? judged.filter(({ row, verdict }) => row.verdict !== verdict)
      : graded.filter(({ verdict }) => !verdict);
  const width = Math.floor((Math.min(columns, 120) - 30) / 2);
  const cell = (content: string) => {
    const line = plainText(content).replaceAll("\n", " ");
    return (line.length > width ? `${line.slice(0, width - 1)}…` : line).padEnd(width);
  };
  const lines = shown.length > 0 ? [`${"id".padEnd(20)} verdict ${cell("extracted")} ${cell("gold")}`] : [];
  for (const { row, verdict, extracted } of shown.slice(0, MOST_ROWS)) {
    const id = plainText(String(row.id)).slice(0, 20).padEnd(20);
    const cells = `${cell(extracted ?? "(none)")} ${cell(String(row.gold))}`;
    lines.push(`${id} ${verdict ? "right  " : "wrong  "} ${cells}`.trimEnd());
  }
  if (shown.length > MOST_ROWS) lines.push(`... and ${shown.length - MOST_ROWS} more`);
  const right = graded.filter(({ verdict }) => verdict).length;
  const none = graded.filter(({ extracted }) => extracted === null).length;
  lines.push(
    `${graded.length} rows: ${right} right, ${graded.length - right} wrong, ${none} of them without an answer`,
  );
  const agreeing = judged.length - shown.length;
  if (judged.length > 0)
    lines.push(
      `${agreeing} of ${judged.length} agree with the verdict in the file (${((100 * agreeing) / judged.length).toFixed(2)}%)`,
    );
  return lines;
}
