/** Several takers of one lock, in every order of their steps, on a file system in memory. */
import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, expect, test, vi } from "vitest";
import { CounterRandom } from "../../src/base/random";
import { takeLock } from "../../src/platform/node/lock";

const { files, before } = vi.hoisted(() => ({
  files: new Map<string, string>(),
  /** Is called before each step on a file that several may see. */
  before: { step: async (): Promise<void> => {} },
}));
vi.mock("node:fs/promises", () => {
  const failure = (code: string) => Object.assign(new Error(code), { code });
  return {
    async writeFile(path: string, text: string) {
      files.set(path, text);
    },
    async link(from: string, to: string) {
      await before.step();
      if (files.has(to)) throw failure("EEXIST");
      files.set(to, files.get(from) ?? "");
    },
    async readFile(path: string) {
      await before.step();
      const text = files.get(path);
      if (text === undefined) throw failure("ENOENT");
      return text;
    },
    async rm(path: string) {
      // A name with a random part is its maker's own.
      if (!/-/.test(path)) await before.step();
      files.delete(path);
    },
  };
});

const LOCK = "/run/.lock";
const DEAD = "999999999";
afterEach(() => {
  files.clear();
});

/** Runs on until its next step. */
class Taker {
  static readonly #current = new AsyncLocalStorage<Taker>();
  isDone = false;
  #goOn = () => {};
  #paused = () => {};

  static async pause(): Promise<void> {
    const taker = Taker.#current.getStore();
    await new Promise<void>((resolve) => {
      if (taker === undefined) return resolve();
      taker.#goOn = resolve;
      taker.#paused();
    });
  }

  start(work: () => Promise<void>): Promise<void> {
    return this.#untilPause(() => {
      void Taker.#current.run(this, work).then(() => {
        this.isDone = true;
        this.#paused();
      });
    });
  }

  step(): Promise<void> {
    return this.#untilPause(() => this.#goOn());
  }

  #untilPause(go: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#paused = resolve;
      go();
    });
  }
}
before.step = Taker.pause;

interface Outcome {
  taken: number;
  mostAtOnce: number;
}

/**
 * Lets takers do a step each in the order that `choose` says, which is given the number of those that have not ended.
 */
async function race(takers: number, holdOn: boolean, choose: (from: number) => number): Promise<Outcome> {
  const outcome: Outcome = { taken: 0, mostAtOnce: 0 };
  let holders = 0;
  const work = async () => {
    const release = await takeLock(LOCK, () => new RangeError("in use")).catch((error: unknown) => {
      if (!(error instanceof RangeError)) throw error;
      return undefined;
    });
    if (release === undefined) return;
    outcome.taken++;
    outcome.mostAtOnce = Math.max(outcome.mostAtOnce, ++holders);
    if (holdOn) return;
    await Taker.pause();
    holders--;
    await release();
  };
  const all = Array.from({ length: takers }, () => new Taker());
  for (const taker of all) await taker.start(work);
  for (;;) {
    const left = all.filter(({ isDone }) => !isDone);
    if (left.length === 0) return outcome;
    await left[choose(left.length)]?.step();
  }
}

/** Every order of the steps of two takers, given to `check` one by one. */
async function everyOrder(check: (choose: (from: number) => number) => Promise<void>): Promise<number> {
  let path: { choice: number; from: number }[] = [];
  for (let orders = 1; ; orders++) {
    let depth = 0;
    await check((from) => {
      path[depth] ??= { choice: 0, from };
      return path[depth++]?.choice ?? 0;
    });
    const last = path.findLastIndex(({ choice, from }) => choice + 1 < from);
    if (last < 0) return orders;
    path = path.slice(0, last + 1).map((each, i) => (i === last ? { ...each, choice: each.choice + 1 } : each));
  }
}

const LEFT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "no lock": {},
  "the lock of a process that died": { [LOCK]: DEAD },
  "those of a process that died while it took another's": { [LOCK]: DEAD, [`${LOCK}.stale`]: DEAD },
};
function leave(left: string): void {
  files.clear();
  for (const [path, text] of Object.entries(LEFT[left] ?? {})) files.set(path, text);
}

test.each([
  ["no lock", 2],
  ["the lock of a process that died", 100],
])("one of two takes it in every order of their steps: %s", async (left, fewest) => {
  const orders = await everyOrder(async (choose) => {
    leave(left);
    expect(await race(2, true, choose)).toEqual({ taken: 1, mostAtOnce: 1 });
    expect([...files.keys()]).toEqual([LOCK]);
  });
  expect(orders).toBeGreaterThanOrEqual(fewest);
});

test.each(Object.keys(LEFT))("never do several hold it, and nothing is left when they are done: %s", async (left) => {
  for (let order = 0; order < 100; order++) {
    leave(left);
    const random = new CounterRandom(17, order);
    const { taken, mostAtOnce } = await race(4, false, (from) => random.integer(0, from - 1));
    expect(taken).toBeGreaterThan(0);
    expect(mostAtOnce).toBe(1);
    expect([...files.keys()]).toEqual([]);
  }
});
