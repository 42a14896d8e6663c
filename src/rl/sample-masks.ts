/**
 * Reasons to leave a single trajectory out of the loss (k_i = 0), after its reward has counted for its group's
 * baseline.
 */

/** What the rules look at, per trajectory. */
export interface SampleFacts {
  readonly correct: boolean;
  /** Ended because the length was spent. */
  readonly truncated: boolean;
  /** Holds a final answer, right or wrong. */
  readonly answered: boolean;
  /** Complete Python blocks, blocks of output, and opened Python fences in the whole text. */
  readonly codeBlocks: number;
  readonly outputBlocks: number;
  readonly openedBlocks: number;
  /** Programs that were run. */
  readonly executions: number;
  /** Share of substrings, and of word trigrams, that occur before. */
  readonly repeatness: number;
  readonly trigramRepetition: number;
}

/** ZeroTIR's limits for a response that repeats itself. */
const REPEATNESS = 0.2;
const TRIGRAM_REPETITION = 0.6;

/**
 * - `overlong_wrong`: cut off by the length, and wrong (ZeroTIR).
 * - `hallucinated_output`: right, but fences and executions do not match: an output that no program gave (ZeroTIR's
 *   "shortcut").
 * - `repetition`: without an answer, and more than 0.2 of its substrings or 0.6 of its trigrams are repeated (ZeroTIR's
 *   "void").
 * - `void_turn`: the trajectory ends without an answer, be it by a turn that does nothing or by the length (after
 *   SimpleTIR, arXiv 2509.02479).
 */
export const sampleMasks = {
  overlong_wrong: ({ truncated, correct }) => truncated && !correct,
  hallucinated_output: ({ correct, codeBlocks, outputBlocks, openedBlocks, executions }) =>
    correct && (codeBlocks !== outputBlocks || codeBlocks !== openedBlocks || executions !== outputBlocks),
  repetition: ({ answered, repeatness, trigramRepetition }) =>
    !answered && (repeatness > REPEATNESS || trigramRepetition > TRIGRAM_REPETITION),
  void_turn: ({ answered }) => !answered,
} as const satisfies Record<string, (facts: SampleFacts) => boolean>;

export type SampleMask = keyof typeof sampleMasks;
export const sampleMaskNames = Object.keys(sampleMasks).filter((name): name is SampleMask =>
  Object.hasOwn(sampleMasks, name),
);
