/** Things that are opened one after the other and closed in the opposite order, also when a later opening fails. */
export class Closers {
  readonly #closings: (() => unknown)[] = [];

  /** Keeps a thing until {@link close}. @param how closes it @returns the thing */
  keep<Thing>(thing: Thing, how: (thing: Thing) => unknown): Thing {
    this.#closings.push(() => how(thing));
    return thing;
  }

  /** Closes what was kept, the newest first, each once its successor is closed. One that fails keeps no other open. */
  async close(): Promise<void> {
    for (const closing of this.#closings.splice(0).reverse())
      try {
        await closing();
      } catch {
        // Whoever closes has the outcome of the work already, or the error that ended it.
      }
  }
}
