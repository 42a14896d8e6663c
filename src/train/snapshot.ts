/** What a step whose update was left out leaves to look into: `snapshots/step_00012/` in the run folder. */
import type { FolderWriter } from "../model/folder";
import type { ParameterValues } from "../model/values";
import { type MetricsRow, metricsLine } from "../session/metrics";
import { writeBatch } from "./batch-file";
import type { RolloutBatch } from "./rollout-batch";
import {
  examineTensors,
  examineTokens,
  type SkippedUpdate,
  type TensorFinding,
  type TrajectoryFinding,
} from "./skipped-update";

/** All that must be read while the gradient is there. */
export interface Examination {
  readonly gradNorm: number;
  readonly gradients: readonly TensorFinding[];
  readonly weights: readonly TensorFinding[];
  readonly trajectories: readonly TrajectoryFinding[];
}

export async function examine(
  { gradNorm, tokens }: SkippedUpdate,
  gradients: ParameterValues,
  weights: ParameterValues,
): Promise<Examination> {
  return {
    gradNorm,
    gradients: await examineTensors(gradients),
    weights: await examineTensors(weights),
    trajectories: examineTokens(tokens),
  };
}

export async function writeSnapshot(
  writer: FolderWriter,
  { gradNorm, gradients, weights, trajectories }: Examination,
  batch: RolloutBatch,
  row: MetricsRow,
): Promise<void> {
  await writer.write("README.md", guide(row.step, gradNorm));
  await writer.write("metrics.json", metricsLine(row));
  await writer.write("gradients.json", table(gradients));
  await writer.write("weights.json", table(weights));
  await writer.write("trajectories.json", table(trajectories));
  await writer.write("batch.json", writeBatch(batch));
}

function table(findings: readonly object[]): string {
  return `[\n${findings.map((finding) => JSON.stringify(finding)).join(",\n")}\n]\n`;
}

function guide(step: number, gradNorm: number): string {
  return `# Step ${step}: an update that was left out

Its gradient had the norm ${gradNorm}, so weights and moments stayed as they were. Where to look, in this order:

1. \`weights.json\`: a tensor with \`notFinite\` above 0 was spoilt by an earlier step; go on from an earlier checkpoint with a smaller learning rate.
2. \`trajectories.json\`: \`notFinite\` names tokens with their figures; without any, a \`largestAdvantage\` far above the others points to a reward out of scale.
3. \`gradients.json\`: norm by tensor; with neither of the above, the first layer from the top (the end of the list) with \`notFinite\` above 0 is where it began.

\`batch.json\` holds every trajectory with its ids, log-probs and grades, \`metrics.json\` the figures of the step. \`zerotir view\` shows the rollouts of the step.
`;
}
