import type { DatasetRow } from "../../data/rows";
import type { DataCheck, ListedDataset } from "../../run/data";
import { alignColumns } from "./charts";
import type { Style } from "./style";
import { figure, plainText } from "./text";

/** Longest part of a problem in a line. */
const EXCERPT = 100;

/** Two lines for each data set: what it is, and where its splits are. */
export function listLines(sets: readonly ListedDataset[], style: Style): string[] {
  return sets.flatMap(({ name, kind, licence, about, splits }) => [
    `${style.paint("bold", name)}  ${about}`,
    style.paint("dim", `    for ${kind}; ${licence}`),
    ...splits.map(({ split, kind, files }) => style.paint("dim", `    ${split}: ${place(kind, files)}`)),
  ]);
}

function place(kind: string, files: readonly string[]): string {
  const where = files.length > 1 ? `${files[0]} and ${files.length - 1} more` : (files[0] ?? "");
  if (kind === "absent") return "not here, and on no hub";
  return kind === "hub" ? `not here; is fetched from ${where}` : plainText(where);
}

/** Rows with their questions, answers and the names of their other columns. */
export function rowLines(title: string, rows: readonly DatasetRow[], style: Style): string[] {
  return [
    style.paint("bold", plainText(title)),
    ...rows.flatMap(({ prompt, answer, columns }) => [
      "",
      plainText(prompt),
      `${style.paint("dim", "answer")}  ${plainText(typeof answer === "string" ? answer : answer.join(" | "))}`,
      `${style.paint("dim", "columns")} ${plainText(Object.keys(columns).join(", ")) || "none"}`,
    ]),
  ];
}

/** A table with a row for each evaluation set, then examples, then the verdict. */
export function checkLines(check: DataCheck, style: Style): string[] {
  const { evaluations, ngramWords } = check;
  const header = ["evaluation set", "problems", "equal", ...(ngramWords > 0 ? [`${ngramWords} words alike`] : [])];
  const rows = evaluations.map(({ name, problems, equal, partial }) => [
    plainText(name),
    figure(problems),
    figure(equal),
    ...(ngramWords > 0 ? [figure(partial)] : []),
  ]);
  const examples = evaluations.flatMap(({ name, examples }) =>
    examples.flatMap(({ evalProblem, trainProblem, sharedWords }) => [
      `  ${style.paint("dim", `${plainText(name)}, ${sharedWords === undefined ? "equal" : "alike"}:`)} ${excerpt(evalProblem)}`,
      ...(sharedWords === undefined
        ? []
        : [
            `    ${style.paint("dim", "training:")} ${excerpt(trainProblem)}`,
            `    ${style.paint("dim", "both have:")} ${excerpt(sharedWords)}`,
          ]),
    ]),
  );
  const hit = evaluations.filter(({ equal, partial }) => equal + partial > 0).map(({ name }) => plainText(name));
  return [
    style.paint(
      "bold",
      `${plainText(check.train)}: ${figure(check.rows)} rows, ${figure(check.repeated)} of them repeat a problem`,
    ),
    "",
    ...alignColumns([header, ...rows]).map((row) => `  ${row}`),
    ...(examples.length > 0 ? ["", ...examples] : []),
    "",
    hit.length > 0
      ? style.paint(
          "yellow",
          `contaminated: training on ${plainText(check.train)} shows the model problems of ${hit.join(", ")}`,
        )
      : "nothing in common",
  ];
}

function excerpt(problem: string): string {
  const line = plainText(problem).replace(/\s+/g, " ").trim();
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}...` : line;
}
