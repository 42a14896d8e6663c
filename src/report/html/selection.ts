/** Which rollouts a report holds. */

/** What a step puts into the file. */
export interface StepText {
  readonly step: number;
  readonly text: string;
  /** Length of the text in UTF-8. */
  readonly bytes: number;
  /** Rollouts in it. */
  readonly count: number;
}

/**
 * How many of a step's rollouts are shown: as many whole groups as fit, or the first rollouts of one group when a group
 * is larger.
 *
 * @param limit most rollouts
 * @param groupSize trajectories per prompt
 */
export function rolloutsShown(limit: number, groupSize: number): number {
  const group = Math.max(1, groupSize);
  return limit < group ? limit : limit - (limit % group);
}

/**
 * Keeps the steps that fit into a number of bytes: every step, or every second, every fourth and so on, counted from
 * the first, and always the last. Memory holds no more than the limit and one step.
 */
export class StepSelection {
  readonly #limit: number;
  #kept: { readonly place: number; readonly step: StepText }[] = [];
  #stride = 1;

  /** @param limit bytes in all */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** No step may be longer than this, so that the first and the last fit. */
  get longestStep(): number {
    return Math.floor(this.#limit / 2);
  }

  /** 1: every step is kept; 2: every second one, and so on. */
  get stride(): number {
    return this.#stride;
  }

  get kept(): readonly StepText[] {
    return this.#kept.map(({ step }) => step);
  }

  /** Whether a step is worth reading, by its place among all. */
  wants(place: number, isLast: boolean): boolean {
    return isLast || place % this.#stride === 0;
  }

  /**
   * Adds the step at a place, in order.
   *
   * @throws RangeError when it is longer than {@link longestStep}
   */
  add(place: number, isLast: boolean, step: StepText): void {
    if (step.bytes > this.longestStep) throw new RangeError(`step ${step.step} is too long for the report`);
    this.#kept.push({ place, step });
    while (this.#kept.reduce((sum, each) => sum + each.step.bytes, 0) > this.#limit) {
      this.#stride *= 2;
      this.#kept = this.#kept.filter((each) => this.wants(each.place, isLast && each.step === step));
    }
  }
}
