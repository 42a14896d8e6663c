/** Seeded random inputs of cases: the name of a case is its seed. */
import { at } from "../../src/base/must";
import { CounterRandom, hashText } from "../../src/base/random";

/** {@link CounterRandom} with the draws that inputs need. */
export class Random extends CounterRandom {
  /** The stream of a name. */
  constructor(name: string) {
    super(hashText(name), 0);
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return this.integer(0, end - 1);
  }

  /** Of the standard normal distribution, by Box and Muller (1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.fraction())) * Math.cos(2 * Math.PI * this.fraction());
  }

  /** `count` normal numbers times `scale` plus `shift`. */
  normals(count: number, scale = 1, shift = 0): Float32Array {
    return Float32Array.from({ length: count }, () => shift + scale * this.normal());
  }

  /** 0 ... count - 1 in a random order. */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [at(order, j), at(order, i)];
    }
    return order;
  }
}

/** NaN everywhere: what must not be read. */
export function poisoned(count: number): Float32Array {
  return new Float32Array(count).fill(Number.NaN);
}
