/**
 * Skipped updates, which changed nothing: what their gradient, the weights and the tokens held, and the snapshot that
 * they leave in the run folder.
 */
import type { FolderWriter } from "../model/folder";
import type { ParameterValues } from "../model/values";
import type { TrainOptions } from "../options/train";
import { type MetricsRow, metricsLine } from "../session/metrics";
import type { RolloutBatch } from "./batch";
import { writeBatch } from "./checkpoint";

/** Values of a trajectory's sampled tokens in an update. */
export interface TokenValues {
  /** Of the trajectory. */
  readonly id: number;
  readonly logprobs: ArrayLike<number>;
  readonly sampledLogprobs: ArrayLike<number>;
  readonly entropies: ArrayLike<number>;
  readonly advantages: ArrayLike<number>;
  /** d loss / d log-prob. */
  readonly coefficients: ArrayLike<number>;
}

/** An update that changed nothing. Its gradient is still where it was accumulated. */
export interface SkippedUpdate {
  readonly gradNorm: number;
  readonly tokens: readonly TokenValues[];
}

export interface TensorFinding {
  readonly name: string;
  readonly shape: readonly number[];
  /** Root of the sum of squares of the values that are finite. */
  readonly norm: number;
  readonly largest: number;
  readonly notFinite: number;
}

/** Every tensor, in the order of the checkpoint, read back one at a time. */
export async function examineTensors(values: ParameterValues): Promise<TensorFinding[]> {
  const findings: TensorFinding[] = [];
  for (const { hfName, shape } of values.layout.tensors) {
    let [squares, largest, notFinite] = [0, 0, 0];
    for (const value of await values.download(hfName))
      if (Number.isFinite(value)) {
        squares += value * value;
        largest = Math.max(largest, Math.abs(value));
      } else notFinite++;
    findings.push({ name: hfName, shape, norm: Math.sqrt(squares), largest, notFinite });
  }
  return findings;
}

export interface TrajectoryFinding {
  readonly trajectory: number;
  readonly tokens: number;
  readonly largestAdvantage: number;
  readonly largestCoefficient: number;
  /** The first few; values are words, since JSON has no number for them. */
  readonly notFinite: readonly { readonly token: number; readonly figure: string; readonly value: string }[];
}

const MOST_TOKENS = 16;

export function examineTokens(tokens: readonly TokenValues[]): TrajectoryFinding[] {
  return tokens.map(({ id, ...figures }) => {
    const notFinite = Object.entries(figures).flatMap(([figure, values]) =>
      Array.from(values).flatMap((value, token) =>
        Number.isFinite(value) ? [] : [{ token, figure, value: String(value) }],
      ),
    );
    return {
      trajectory: id,
      tokens: figures.logprobs.length,
      largestAdvantage: largestOf(figures.advantages),
      largestCoefficient: largestOf(figures.coefficients),
      notFinite: notFinite.slice(0, MOST_TOKENS),
    };
  });
}

/** Among values that are finite. */
function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (const value of Array.from(values)) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/** All that must be read while the gradient is there. */
export interface Examination {
  readonly gradNorm: number;
  readonly gradients: readonly TensorFinding[];
  readonly weights: readonly TensorFinding[];
  readonly trajectories: readonly TrajectoryFinding[];
}

/** Why an update was left out. */
export function whySkipped({ gradNorm }: Examination, { skipGradNorm }: Pick<TrainOptions, "skipGradNorm">): string {
  return Number.isFinite(gradNorm)
    ? `the gradient norm ${gradNorm.toPrecision(3)} is above --skip-grad-norm ${skipGradNorm}`
    : "the gradient norm is not finite";
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
