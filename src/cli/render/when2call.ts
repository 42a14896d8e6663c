import { at } from "../../base/must";
import { behaviours } from "../../eval/choices/metrics";
import type { When2CallReport } from "../../eval/choices/run";
import type { EvalCall } from "../../run/context";
import { alignColumns } from "./charts";
import type { Style } from "./style";
import { duration, figure, percent, plainText, shorten } from "./text";

/** With the columns beside it a line stays below 80. */
const NAME_WIDTH = 24;

/** The figures of When2Call, then the questions by right and chosen behaviour. */
export function when2CallLines(report: When2CallReport & EvalCall, style: Style): string[] {
  const { figures, skipped, positions } = report;
  const [head = "", ...values] = alignColumns(
    [
      ["", "acc", "acc_norm", "macro-F1", "tool hallucination"],
      [
        shorten(plainText(report.model), NAME_WIDTH),
        ...[figures.accuracy, figures.accuracyNormalised, figures.macroF1, figures.toolHallucination].map(percent),
      ],
    ],
    2,
  );
  const [columns = "", ...confusion] = alignColumns(
    [
      ["right, chosen:", ...behaviours],
      ...figures.confusion.map((row, index) => [at(behaviours, index), ...row.map(String)]),
    ],
    2,
  );
  const lines = [
    style.paint("bold", shorten(plainText(`when2call, ${report.dataset}`), 79)),
    `  ${style.paint("dim", head)}`,
    ...values.map((line) => `  ${line}`),
    "",
    `  ${style.paint("dim", columns)}`,
    ...confusion.map((line) => `  ${line}`),
    "",
    `${figure(figures.questions)} of ${figure(report.rows)} rows in ${duration(report.seconds)}; prompts by ${
      report.prompt === "plain text" ? "plain text, the model has no chat template" : "the model's chat template"
    }.`,
  ];
  if (skipped > 0)
    lines.push(
      `Left out: ${figure(skipped)} of ${figure(report.rows)} rows, for want of positions: the model has ${figure(positions)}, rows need`,
      `up to ${figure(report.longest)}. These figures are not those of the whole set.`,
    );
  if (report.outputDir !== null) lines.push(`${plainText(report.outputDir)}: when2call.jsonl, when2call.json`);
  if (!report.finished) lines.push("Stopped before the last row; the figures are of the rows before.");
  return lines;
}
