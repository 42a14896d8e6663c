/** Cases of sampling, of the tokens' log-probs and of the logits' gradients. */
import { at } from "../src/base/must";
import { defineCase, defineGradient, type KernelCase, type Op, words } from "./cases/case";
import { poisoned, type Random } from "./cases/inputs";
import { type LogitsShape, logitsGradient, type SamplingSettings, sample, tokenLogProb } from "./sampling";
import {
  gumbelReference,
  logitsGradientReference,
  philoxReference,
  rowsOfMatrix,
  sampleReference,
  statisticsReference,
  thresholdReference,
} from "./sampling.reference";
import { Tensor } from "./tensor";

/** A sum of exponentials over the vocabulary, its logarithm, and a difference of numbers near 10. */
const TOLERANCE = 2e-6;
/** min-p adds a rounded logarithm to a logit. The lowest threshold, which stands for "everything", is exact. */
const THRESHOLD_TOLERANCE = 1e-6;
const KEEP_ALL = Math.fround(-3.0e38);

export const FULL: SamplingSettings = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: [0x12345678, 0x9abcdef0] };

/** Logits with NaN in the padding columns: [rows, stride]. */
export function paddedLogits(random: Random, shape: LogitsShape): Float32Array {
  const logits = poisoned(shape.entries * shape.stride);
  for (let row = 0; row < shape.entries; row++) logits.set(random.normals(shape.vocabulary, 2), row * shape.stride);
  return logits;
}

/** The real columns, as lists of numbers. */
function logitRows(logits: Float32Array, shape: LogitsShape): number[][] {
  return rowsOfMatrix(new Tensor([shape.entries, shape.stride], logits)).map((row) => row.slice(0, shape.vocabulary));
}

interface Entry {
  readonly row: number;
  readonly slot: number;
  readonly position: number;
  readonly trajectory: number;
}

/** One entry per logits row, in a random order, each in a slot of its own. */
function entriesOf(random: Random, shape: LogitsShape): Entry[] {
  const slots = random.permutation(shape.entries);
  return [...random.permutation(shape.entries)].map((row, i) => ({
    row,
    slot: at(slots, i),
    position: random.below(shape.slotLength),
    trajectory: random.below(2 ** 20),
  }));
}

export function entryTable(entries: readonly Entry[]): Uint32Array {
  return Uint32Array.from(entries.flatMap(({ row, slot, position, trajectory }) => [row, slot, position, trajectory]));
}

function readEntries(table: Uint32Array): Entry[] {
  return Array.from({ length: table.length / 4 }, (_, i) => {
    return {
      row: at(table, 4 * i),
      slot: at(table, 4 * i + 1),
      position: at(table, 4 * i + 2),
      trajectory: at(table, 4 * i + 3),
    };
  });
}

function settingsLabel({ temperature, topK, topP, minP }: SamplingSettings): string {
  const parts = [temperature === 0 ? "greedy" : `T ${temperature}`];
  if (topK > 0) parts.push(`top-k ${topK}`);
  if (topP < 1) parts.push(`top-p ${topP}`);
  if (minP > 0) parts.push(`min-p ${minP}`);
  return parts.join(", ");
}

const shapeLabel = ({ entries, vocabulary, stride }: LogitsShape) => `${entries} x ${vocabulary} of ${stride}`;

export function sampleCase(shape: LogitsShape, settings: SamplingSettings): KernelCase {
  const { entries, vocabulary } = shape;
  const slotElements = entries * shape.slotLength;
  return defineCase({
    name: `sample ${shapeLabel(shape)}, ${settingsLabel(settings)}`,
    tolerance: THRESHOLD_TOLERANCE,
    flops: 3 * entries * vocabulary,
    bytes: words(entries * vocabulary, 6 * entries),
    inputs: (random) => ({
      logits: paddedLogits(random, shape),
      entries: entryTable(entriesOf(random, shape)),
      slotTokens: new Uint32Array(slotElements).fill(0xffffffff),
    }),
    outputs: { slotTokens: slotElements, thresholds: entries },
    run(gpu, views) {
      sample(gpu, views, shape, settings);
    },
    expected(inputs) {
      const rows = logitRows(inputs.logits, shape);
      const slotTokens = inputs.slotTokens.slice();
      const thresholds = new Tensor([entries]);
      readEntries(inputs.entries).forEach(({ row, slot, position, trajectory }, i) => {
        const logits = at(rows, row);
        const gumbel = (token: number) =>
          gumbelReference(philoxReference([token, position, trajectory, 0], settings.seed)[0]);
        slotTokens[slot * shape.slotLength + position] = sampleReference(logits, settings, gumbel);
        thresholds.set(Math.max(KEEP_ALL, thresholdReference(logits, settings)), i);
      });
      return { slotTokens, thresholds };
    },
  });
}

/** Entries with a token each, and thresholds that keep everything or cut below the token. */
function scoredInputs(random: Random, shape: LogitsShape, truncated: boolean) {
  const logits = paddedLogits(random, shape);
  const entries = entriesOf(random, shape);
  const slotTokens = new Uint32Array(shape.entries * shape.slotLength).fill(0xffffffff);
  const rows = logitRows(logits, shape);
  const thresholds = entries.map(({ row, slot, position }) => {
    const token = random.below(shape.vocabulary);
    slotTokens[slot * shape.slotLength + position] = token;
    return truncated ? at(at(rows, row), token) - random.fraction() : KEEP_ALL;
  });
  return { logits, entries: entryTable(entries), slotTokens, thresholds: Float32Array.from(thresholds) };
}

type ScoredInputs = ReturnType<typeof scoredInputs>;

/** Each entry's logits, token and threshold. */
function scoredRows(inputs: Omit<ScoredInputs, "thresholds"> & { thresholds: Float32Array }, shape: LogitsShape) {
  const rows = logitRows(inputs.logits, shape);
  return readEntries(inputs.entries).map(({ row, slot, position }, i) => ({
    logits: at(rows, row),
    token: at(inputs.slotTokens, slot * shape.slotLength + position),
    threshold: at(inputs.thresholds, i),
  }));
}

interface ScoreOptions {
  readonly temperature: number;
  readonly truncated: boolean;
}

const scoreLabel = (shape: LogitsShape, { temperature, truncated }: ScoreOptions) =>
  `${shapeLabel(shape)}, T ${temperature}${truncated ? ", thresholds" : ""}`;

export function tokenLogProbCase(shape: LogitsShape, options: ScoreOptions): KernelCase {
  const { entries, vocabulary } = shape;
  return defineCase({
    name: `token_log_prob ${scoreLabel(shape, options)}`,
    tolerance: TOLERANCE,
    columns: { statistics: 4 },
    flops: 7 * entries * vocabulary,
    bytes: words(entries * vocabulary, 10 * entries),
    inputs: (random) => scoredInputs(random, shape, options.truncated),
    outputs: { statistics: 4 * entries },
    run(gpu, views) {
      tokenLogProb(gpu, views, shape, options.temperature);
    },
    expected(inputs) {
      const statistics = scoredRows(inputs, shape).flatMap(({ logits, token, threshold }) => {
        const row = statisticsReference(logits, token, options.temperature || 1, threshold);
        const own = at(logits, token);
        const isTop = logits.every((logit) => logit <= own);
        return [row.logProb, row.logSumExp, row.entropy, token + (isTop ? 0.5 : 0)];
      });
      return { statistics: new Tensor([entries, 4], statistics) };
    },
  });
}

/**
 * Coefficient 0 of the second row, as of a masked token; with `entropy` each row has a coefficient of its entropy too.
 */
export function logitsGradientCase(shape: LogitsShape, options: ScoreOptions & { entropy?: boolean }): KernelCase {
  const { entries, vocabulary, stride } = shape;
  const temperature = options.temperature || 1;
  return defineCase({
    name: `logits_gradient ${scoreLabel(shape, options)}${options.entropy === true ? ", entropy" : ""}`,
    tolerance: TOLERANCE,
    flops: (options.entropy === true ? 9 : 5) * entries * vocabulary,
    bytes: words(2 * entries * vocabulary, (options.entropy === true ? 6 : 5) * entries),
    inputs(random) {
      const logits = paddedLogits(random, shape);
      const tokens = Uint32Array.from({ length: entries }, () => random.below(vocabulary));
      const rows = logitRows(logits, shape);
      const thresholds = Float32Array.from(tokens, (token, row) =>
        options.truncated ? at(at(rows, row), token) - random.fraction() : KEEP_ALL,
      );
      const statistics = Float32Array.from(
        rows.flatMap((row, i) => {
          const token = at(tokens, i);
          const { logProb, logSumExp, entropy } = statisticsReference(row, token, temperature, at(thresholds, i));
          return [logProb, logSumExp, entropy, token];
        }),
      );
      const coefficients = random.normals(entries);
      const entropyCoefficients = options.entropy === true ? random.normals(entries) : new Float32Array(entries);
      if (entries > 1) coefficients[1] = 0;
      return { statistics, coefficients, entropyCoefficients, thresholds, logits };
    },
    outputs: { logits: entries * stride },
    run(gpu, { thresholds, entropyCoefficients, ...views }) {
      logitsGradient(
        gpu,
        {
          ...views,
          ...(options.truncated && { thresholds }),
          ...(options.entropy === true && { entropyCoefficients }),
        },
        shape,
        options.temperature,
      );
    },
    expected(inputs) {
      const gradient = new Tensor([entries, stride]);
      logitRows(inputs.logits, shape).forEach((row, i) => {
        const values = logitsGradientReference(
          row,
          at(inputs.statistics, 4 * i + 3),
          temperature,
          at(inputs.thresholds, i),
          at(inputs.coefficients, i),
          at(inputs.entropyCoefficients, i),
        );
        gradient.data.set(values, i * stride);
      });
      return { logits: gradient };
    },
  });
}

const SMALL: LogitsShape = { entries: 9, vocabulary: 37, stride: 40, slotLength: 6 };
const ONE: LogitsShape = { entries: 1, vocabulary: 1, stride: 4, slotLength: 1 };
const NONE: LogitsShape = { entries: 0, vocabulary: 5, stride: 8, slotLength: 2 };
const WIDE: LogitsShape = { entries: 3, vocabulary: 1000, stride: 1000, slotLength: 3 };
/** Where a single chain of sums would lose digits. */
const LONG: LogitsShape = { entries: 2, vocabulary: 100_003, stride: 100_004, slotLength: 1 };

const NANO: LogitsShape = { entries: 512, vocabulary: 512, stride: 512, slotLength: 64 };
const LARGE: LogitsShape = { entries: 8, vocabulary: 151_936, stride: 151_936, slotLength: 64 };
const PLAIN: ScoreOptions = { temperature: 1, truncated: false };

export const sampleOp: Op = {
  name: "sample",
  cases: [
    ...[SMALL, ONE, NONE, WIDE].map((shape) => sampleCase(shape, FULL)),
    sampleCase(SMALL, { ...FULL, temperature: 0 }),
    sampleCase(SMALL, { ...FULL, temperature: 0.6 }),
    sampleCase(SMALL, { ...FULL, topK: 5 }),
    sampleCase(SMALL, { ...FULL, topK: 37 }),
    sampleCase(WIDE, { ...FULL, topK: 1 }),
    sampleCase(SMALL, { ...FULL, topP: 0.8 }),
    sampleCase(WIDE, { ...FULL, temperature: 1.3, topP: 0.95 }),
    sampleCase(SMALL, { ...FULL, minP: 0.1 }),
    sampleCase(WIDE, { ...FULL, temperature: 0.8, topK: 50, topP: 0.9, minP: 0.02 }),
    sampleCase(SMALL, { ...FULL, temperature: 0, topK: 4, topP: 0.5 }),
  ],
  timed: [
    sampleCase({ ...NANO, entries: 128 }, FULL),
    sampleCase({ ...NANO, entries: 128 }, { ...FULL, topP: 0.9 }),
    sampleCase(LARGE, FULL),
  ],
};

export const tokenLogProbOp: Op = {
  name: "token_log_prob",
  cases: [
    ...[SMALL, ONE, NONE, WIDE].map((shape) => tokenLogProbCase(shape, PLAIN)),
    tokenLogProbCase(SMALL, { temperature: 0.6, truncated: false }),
    tokenLogProbCase(SMALL, { temperature: 0, truncated: false }),
    tokenLogProbCase(SMALL, { temperature: 0.7, truncated: true }),
    tokenLogProbCase(LONG, PLAIN),
  ],
  timed: [tokenLogProbCase(NANO, PLAIN), tokenLogProbCase(LARGE, PLAIN)],
};

/** The gradient checks: token 3 at temperature 0.7, among the logits down to 0.5 below its own. */
const [TOKEN, TEMPERATURE] = [3, 0.7];
const checkedLogits = (random: Random) => ({ logits: new Tensor([9], random.normals(9, 2)) });
const thresholdOf = (logits: Tensor) => logits.at(TOKEN) - 0.5;
const checkedStatistics = (logits: Tensor) =>
  statisticsReference([...logits.data], TOKEN, TEMPERATURE, thresholdOf(logits));
const checkedGradient = (logits: Tensor, coefficient: number, entropyCoefficient: number) =>
  new Tensor(
    [9],
    logitsGradientReference([...logits.data], TOKEN, TEMPERATURE, thresholdOf(logits), coefficient, entropyCoefficient),
  );

export const logitsGradientOp: Op = {
  name: "logits_gradient",
  cases: [
    ...[SMALL, ONE, NONE, WIDE].map((shape) => logitsGradientCase(shape, PLAIN)),
    logitsGradientCase(SMALL, { temperature: 0.6, truncated: false }),
    logitsGradientCase(SMALL, { temperature: 0.7, truncated: true }),
    ...[SMALL, ONE, NONE, WIDE].map((shape) => logitsGradientCase(shape, { ...PLAIN, entropy: true })),
    logitsGradientCase(SMALL, { temperature: 0.6, truncated: false, entropy: true }),
    logitsGradientCase(SMALL, { temperature: 0.7, truncated: true, entropy: true }),
  ],
  timed: [logitsGradientCase(NANO, PLAIN)],
  gradients: [
    defineGradient({
      name: "log-prob of a token among the kept",
      inputs: checkedLogits,
      forward: ({ logits }) => new Tensor([1], [checkedStatistics(logits).logProb]),
      backward: ({ logits }, upstream) => ({ logits: checkedGradient(logits, upstream.at(0), 0) }),
    }),
    defineGradient({
      name: "entropy of the kept tokens",
      inputs: checkedLogits,
      forward: ({ logits }) => new Tensor([1], [checkedStatistics(logits).entropy]),
      backward: ({ logits }, upstream) => ({ logits: checkedGradient(logits, 0, upstream.at(0)) }),
    }),
  ],
};
