/** Text as if each UTF-16 code unit were a token, for the turn machine of the rollouts. */
import type { TokenizerView } from "../../rollout/tokenizer";

/** No code unit has this number. */
export const END_OF_TEXT = 0x10000;
/** Most arguments of one call of String.fromCharCode. */
const MOST_ARGUMENTS = 8192;

export const CHARACTERS: TokenizerView = {
  eosId: END_OF_TEXT,
  encodePlain: (text) => Uint32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)),
  decode(ids) {
    const units = ids.filter((id) => id !== END_OF_TEXT);
    let text = "";
    for (let from = 0; from < units.length; from += MOST_ARGUMENTS)
      text += String.fromCharCode(...units.subarray(from, from + MOST_ARGUMENTS));
    return text;
  },
};
