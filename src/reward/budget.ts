/** Thrown where a comparison has used up its steps; caught by the comparison itself. */
export class BudgetSpent extends Error {
  override readonly name = "BudgetSpent";
}

/**
 * Work of one comparison, asked for cooperatively: every loop that input can lengthen calls {@link Budget.step}. It
 * counts work and no time, so that a verdict is the same on every machine under any load.
 */
export class Budget {
  #left: number;

  /** @param steps that may be taken; one is about the work of an operation on small numbers. */
  constructor(steps: number) {
    this.#left = steps;
  }

  /** @throws BudgetSpent when no step is left. */
  step(count = 1): void {
    this.#left -= count;
    if (this.#left < 0) throw new BudgetSpent("the comparison took too many steps");
  }
}
