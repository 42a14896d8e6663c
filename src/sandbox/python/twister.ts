import { at } from "../../base/must";

/**
 * State of MT19937 after `init_by_array` (Matsumoto and Nishimura, 1998), the way CPython seeds `random` from an
 * integer. The state is written into the guest before it runs, so no Python code is needed to seed it.
 *
 * @param key 32-bit words, the lowest first
 * @returns 624 words
 */
export function twisterState(key: readonly number[]): Uint32Array {
  const state = new Uint32Array(624);
  state[0] = 19_650_218;
  for (let i = 1; i < 624; i++) state[i] = Math.imul(1_812_433_253, at(state, i - 1) ^ (at(state, i - 1) >>> 30)) + i;
  let i = 1;
  let j = 0;
  const next = () => {
    i++;
    if (i >= 624) {
      state[0] = at(state, 623);
      i = 1;
    }
  };
  for (let k = Math.max(624, key.length); k > 0; k--) {
    state[i] = (at(state, i) ^ Math.imul(at(state, i - 1) ^ (at(state, i - 1) >>> 30), 1_664_525)) + at(key, j) + j;
    next();
    j = (j + 1) % key.length;
  }
  for (let k = 623; k > 0; k--) {
    state[i] = (at(state, i) ^ Math.imul(at(state, i - 1) ^ (at(state, i - 1) >>> 30), 1_566_083_941)) - i;
    next();
  }
  state[0] = 0x8000_0000;
  return state;
}
