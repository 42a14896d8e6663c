/**
 * Counter-based random numbers: draw n of stream (seed, index) is a hash of the three, so any item of a data set can be
 * made on its own, in any order, and is the same on every machine. The mixing function is the 32-bit finaliser of
 * MurmurHash3.
 */
export class CounterRandom {
  readonly #key: number;
  #draws = 0;

  /** @param seed 32-bit. @param index number of the item within the seed, 32-bit. */
  constructor(seed: number, index: number) {
    this.#key = mix32(mix32(seed ^ 0x243f6a88) + Math.imul(index, 0x9e3779b1));
  }

  /** Uniform in 0 .. 2^32 - 1. */
  next(): number {
    this.#draws += 1;
    return mix32(mix32(this.#key + Math.imul(this.#draws, 0x85ebca77)) ^ this.#key) >>> 0;
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** Uniform integer in low .. high, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  /** One of the items, all equally likely. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.integer(0, items.length - 1)] ?? items[0];
  }
}

/** Scrambles 32 bits; a bijection. */
export function mix32(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** 32-bit FNV-1a hash of a text's UTF-16 code units, scrambled once more so that all its bits are usable. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix32(hash) >>> 0;
}

/** 64 bits of a text as 16 hexadecimal digits: two FNV-like hashes of its UTF-16 code units with other multipliers. */
export function longHash(text: string): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    high = Math.imul(high ^ text.charCodeAt(i), 0x9e3779b1);
    low = Math.imul(low ^ text.charCodeAt(i), 0x5f356495);
  }
  const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
  return hex(mix32(high ^ (low >>> 13))) + hex(mix32(low ^ (high >>> 16)));
}
