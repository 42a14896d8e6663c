/** Bootstrap (Efron 1979): 95% percentile intervals of an evaluation's figures, seeded. */
import { at } from "../base/must";
import { CounterRandom } from "../base/random";
import { type Interval, interval95 } from "../base/statistics";

const REPLICATES = 1000;

/**
 * 95% intervals of the means of several series over the same questions, which are drawn with replacement: how the
 * figures would come out with other questions of the same kind. The chance within a question is part of it, since each
 * drawn question brings the value that it happened to get.
 *
 * @param series one list per figure, one value per question
 * @returns null for a series of fewer than two values
 */
export function intervalsOverQuestions(series: readonly (readonly number[])[], seed: number): (Interval | null)[] {
  const count = series[0]?.length;
  if (count === undefined || count < 2) return series.map(() => null);
  const means = series.map(() => new Float64Array(REPLICATES));
  for (let replicate = 0; replicate < REPLICATES; replicate++) {
    const random = new CounterRandom(seed, replicate);
    const drawn = Array.from({ length: count }, () => random.integer(0, count - 1));
    series.forEach((values, i) => {
      let sum = 0;
      for (const question of drawn) sum += at(values, question);
      at(means, i)[replicate] = sum / count;
    });
  }
  return means.map(interval95);
}

/**
 * 95% interval of the mean over all samples with the questions fixed, the samples of each question drawn with
 * replacement: how avg@K would come out in another run over the same questions. Null for one sample per question, which
 * says nothing of its own chance.
 *
 * @param scores per question, its samples' scores of 0 or 1
 */
export function intervalOverSamples(scores: readonly (readonly number[])[], seed: number): Interval | null {
  if (scores.length === 0 || scores.some(({ length }) => length < 2)) return null;
  const means = new Float64Array(REPLICATES);
  for (let replicate = 0; replicate < REPLICATES; replicate++) {
    // A stream apart from that of the questions.
    const random = new CounterRandom(~seed, replicate);
    let sum = 0;
    for (const samples of scores) {
      let right = 0;
      for (let draw = 0; draw < samples.length; draw++) right += at(samples, random.integer(0, samples.length - 1));
      sum += right / samples.length;
    }
    means[replicate] = sum / scores.length;
  }
  return interval95(means);
}
