import type { TEvalReport } from "../../eval/t-eval/run";
import type { EvalCall } from "../../run/context";
import { alignColumns } from "./charts";
import type { Style } from "./style";
import { duration, figure, percent, plainText, shorten } from "./text";

/** Abilities whose score depends on what compares texts. */
const BY_ENCODER: ReadonlySet<string> = new Set(["plan", "reason"]);

/** The six abilities of T-Eval and their mean; figures not comparable with published ones say so in their row. */
export function tEvalLines(report: TEvalReport & EvalCall, style: Style): string[] {
  const { figures, comparable, skipped } = report;
  const remark = comparable ? "" : "not comparable";
  const [head = "", ...rows] = alignColumns(
    [
      ["", "json", "text", "score", "samples", ""],
      ...figures.abilities.map(({ ability, json, str, score, samples }) => [
        ability,
        ...[json, str, score].map(percent),
        figure(samples),
        BY_ENCODER.has(ability) ? remark : "",
      ]),
      ["overall", "", "", percent(figures.overall), "", remark],
    ],
    2,
  );
  const lines = [
    style.paint("bold", shorten(plainText(`T-Eval, ${report.dataset}`), 79)),
    `  ${style.paint("dim", head)}`,
    ...rows.map((row) => `  ${row}`),
    "",
    `${figure(report.rows - skipped)} of ${figure(report.rows)} samples in ${duration(report.seconds)}.`,
  ];
  if (skipped > 0)
    lines.push(
      report.model === null
        ? `${figure(skipped)} without a prediction were left out.`
        : `${figure(skipped)} were left out: their prompt does not fit the model.`,
    );
  if (!comparable)
    lines.push(
      `Texts were compared by ${report.encoder}, not by a sentence encoder:`,
      "plan, reason and overall are not comparable with published figures.",
    );
  if (figures.overall === null) lines.push("Overall needs all eight files.");
  if (report.outputDir !== null) lines.push(`${plainText(report.outputDir)}: teval.jsonl, teval.json`);
  return lines;
}
