/**
 * What a host has opened for a run: one that fails half-way does not come to close it, and a worker outlives its run.
 */

interface Closable {
  close(): Promise<void>;
}

export class Opened {
  #all: Promise<Closable>[] = [];

  /** Remembers what is being opened. */
  keep<Kind extends Closable>(opening: Promise<Kind>): Promise<Kind> {
    this.#all.push(opening);
    return opening;
  }

  /** Closes all, also what is still being opened. */
  close(): void {
    // What could not be opened, or was closed by the run, needs nothing.
    for (const opening of this.#all.splice(0)) void opening.then((one) => one.close()).catch(() => {});
  }
}
