import type { RewardFunction } from "./function";

/**
 * DAPO's soft overlong punishment (arXiv 2503.14476, equation 13): 0 up to L_max - L_cache tokens, ((L_max - L_cache) -
 * |y|) / L_cache up to L_max, -1 beyond. |y| counts the tokens in the run's scope: tool output is not the model's
 * fault, unless the scope is the full text.
 */
export const softOverlongPunishment: RewardFunction = {
  help: "0 down to -1 over the last --soft-punish-cache tokens before --max-completion-length",
  value({ responseTokens, softOverlong: { maxLength, cacheLength } }) {
    const expected = maxLength - cacheLength;
    if (responseTokens <= expected) return 0;
    return responseTokens <= maxLength ? (expected - responseTokens) / cacheLength : -1;
  },
};
