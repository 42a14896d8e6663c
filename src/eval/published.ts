/** Figures that others published, to stand beside measured ones. None was measured here. */

export interface PublishedFigure {
  /** Name of the benchmark as `--dataset` takes it. */
  readonly benchmark: string;
  /** Column of the table. */
  readonly model: string;
  /** Percent, as printed. */
  readonly percent: string;
  readonly protocol: "avg@32" | "greedy" | "model card";
  readonly source: string;
  /** Keys of {@link publishedRemarks}. */
  readonly remarks: readonly RemarkName[];
}

/** What a reader has to know before comparing. */
export const publishedRemarks = {
  truncated:
    "Each figure is right answers / 960 (30 problems x 32 samples), cut after two decimals and not rounded; 288/960 stands as 29.99.",
  mixed:
    "Printed in a table headed greedy, but no single pass over 30 problems can give it: it equals avg@32 at step 800. The ToRL figures beside it are greedy.",
  noTool:
    "Stands in a table headed avg@32, but is a score without tool and without thinking from the model card of Qwen3-235B-A22B-Instruct-2507, not run again; the table calls the models Qwen3-238B-A22B and Claude Optus4.",
  torl: "Greedy, at most one program per answer.",
} as const;
export type RemarkName = keyof typeof publishedRemarks;

const REPORT = "ZTRL-0727-7B report, table of avg@32 at step 900";
const GREEDY = "ZTRL-0727-7B report, table headed greedy";
const TORL = "arXiv 2503.23383, table of ToRL-7B";

/** One line per number. */
export const publishedFigures: readonly PublishedFigure[] = [
  figure("aime25", "ZTRL-0727-7B", "29.99", "avg@32", REPORT, "truncated"),
  figure("hmmt25", "ZTRL-0727-7B", "22.08", "avg@32", REPORT, "truncated"),
  figure("amc23", "ZTRL-0727-7B", "80", "greedy", GREEDY),
  figure("math500", "ZTRL-0727-7B", "84.6", "greedy", GREEDY),
  figure("aime25", "ZTRL-0727-7B, step 800", "32.81", "avg@32", GREEDY, "mixed"),
  figure("aime25", "Qwen3-235B-A22B", "24.7", "model card", REPORT, "noTool"),
  figure("hmmt25", "Qwen3-235B-A22B", "10.0", "model card", REPORT, "noTool"),
  figure("aime25", "Claude Opus 4", "33.9", "model card", REPORT, "noTool"),
  figure("hmmt25", "Claude Opus 4", "15.9", "model card", REPORT, "noTool"),
  figure("aime24", "ToRL-7B", "43.3", "greedy", TORL, "torl"),
  figure("aime25", "ToRL-7B", "30.0", "greedy", TORL, "torl"),
  figure("math500", "ToRL-7B", "82.2", "greedy", TORL, "torl"),
  figure("olympiadbench", "ToRL-7B", "49.9", "greedy", TORL, "torl"),
  figure("amc23", "ToRL-7B", "75.0", "greedy", TORL, "torl"),
];

function figure(
  benchmark: string,
  model: string,
  percent: string,
  protocol: PublishedFigure["protocol"],
  source: string,
  ...remarks: RemarkName[]
): PublishedFigure {
  return { benchmark, model, percent, protocol, source, remarks };
}
