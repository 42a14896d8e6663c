/** Lets one waiter sleep until anything of interest has happened. */
export class Wakeup {
  #signalled = false;
  #waiter: (() => void) | undefined;

  /** Something happened: ends the current wait, or the next one at once. */
  notify(): void {
    this.#signalled = true;
    this.#waiter?.();
  }

  async wait(): Promise<void> {
    if (!this.#signalled)
      await new Promise<void>((resolve) => {
        this.#waiter = resolve;
      });
    this.#waiter = undefined;
    this.#signalled = false;
  }
}
