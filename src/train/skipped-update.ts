/** Looks for what made the gradient of an update unfit: tensors and tokens with values that are not finite, or large. */
import type { ParameterValues } from "../model/values";

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
