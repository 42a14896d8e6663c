/** The step that all charts point at together. */
export class StepCursor {
  readonly #watchers: ((step: number | null) => void)[] = [];
  #step: number | null = null;

  get step(): number | null {
    return this.#step;
  }

  watch(watcher: (step: number | null) => void): void {
    this.#watchers.push(watcher);
  }

  point(step: number | null): void {
    if (step === this.#step) return;
    this.#step = step;
    for (const watcher of this.#watchers) watcher(step);
  }
}
