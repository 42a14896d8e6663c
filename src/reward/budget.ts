/** Thrown where a comparison has used up its time or steps; caught by the comparison itself. */
export class BudgetSpent extends Error {
  override readonly name = "BudgetSpent";
}

const STEPS_BETWEEN_LOOKS = 256;

/** Time of one comparison, asked for cooperatively: every loop that input can lengthen calls {@link Budget.step}. */
export class Budget {
  private readonly end: number;
  private untilLook = STEPS_BETWEEN_LOOKS;

  /** @param milliseconds of wall time from now. */
  constructor(milliseconds: number) {
    this.end = performance.now() + milliseconds;
  }

  /** @throws BudgetSpent when the time is over. */
  step(count = 1): void {
    this.untilLook -= count;
    if (this.untilLook > 0) return;
    this.untilLook = STEPS_BETWEEN_LOOKS;
    if (performance.now() > this.end) throw new BudgetSpent("the comparison took too long");
  }
}
