import { must } from "../../base/must";

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based generator,
 * so the bytes a guest gets depend on the key and on how many it drew before, and on nothing else.
 */
export class Philox {
  readonly #key: readonly [number, number];
  readonly #stream: number;
  #counter = 0;
  #block: number[] = [];

  /**
   * @param seed any text; its 64-bit FNV-1a hash over UTF-16 code units is the key
   * @param stream separates independent uses of one seed
   */
  constructor(seed: string, stream: number) {
    this.#key = hash64(seed);
    this.#stream = stream;
  }

  u32(): number {
    if (this.#block.length === 0) this.#block = philox([this.#counter++, 0, this.#stream, 0], this.#key).reverse();
    return must(this.#block.pop(), "a word of the block");
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 4) {
      const word = this.u32();
      for (let k = 0; k < 4 && i + k < bytes.length; k++) bytes[i + k] = word >>> (8 * k);
    }
  }
}

/** 64-bit FNV-1a as [low, high]. */
function hash64(text: string): [number, number] {
  const mask = 0xffff_ffff_ffff_ffffn;
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (let i = 0; i < text.length; i++) hash = ((hash ^ BigInt(text.charCodeAt(i))) * 0x100_0000_01b3n) & mask;
  return [Number(hash & 0xffff_ffffn), Number(hash >> 32n)];
}

/** High word of a 32 x 32 bit product, from four 16-bit ones. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = a0 * b1 + (middle & 0xffff);
  return (a1 * b1 + Math.floor(middle / 65_536) + Math.floor(carry / 65_536)) >>> 0;
}

/** One block: ten rounds over four counter words with two key words. */
export function philox(counter: [number, number, number, number], key: readonly [number, number]): number[] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd251_1f53, c0);
    const low0 = Math.imul(0xd251_1f53, c0) >>> 0;
    const high1 = multiplyHigh(0xcd9e_8d57, c2);
    const low1 = Math.imul(0xcd9e_8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e37_79b9) >>> 0;
    k1 = (k1 + 0xbb67_ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}
