import { observe } from "../../src/rollout/world";
import { extractCode } from "../../src/sandbox/observation";
import { drawAfter, type FakeTokenizer, formatObservation, pythonResult, type Script } from "./fakes";
import type { RolloutOptions } from "./scenario";

/** What one trajectory must be. */
export interface Expected {
  ids: number[];
  mask: number[];
  logprobs: number[];
  finishReason: "stop" | "length";
  stopString: string | undefined;
  codes: string[];
}

/**
 * One trajectory by the plainest means: no slots, pages or batches, and the rules of the fences applied character by
 * character. Holds for tokens that are whole characters.
 */
export function expectedTrajectory(
  id: number,
  script: Script,
  options: RolloutOptions,
  tokenizer: FakeTokenizer,
): Expected {
  const out: Expected = { ids: [], mask: [], logprobs: [], finishReason: "length", stopString: undefined, codes: [] };
  let inCode = false;
  let fences = 0;
  let buffer = "";
  while (out.ids.length < options.maxCompletionLength) {
    const { token, logprob } = drawAfter([...script.prompt, ...out.ids], id, script, tokenizer);
    out.ids.push(token);
    out.mask.push(1);
    out.logprobs.push(logprob);
    if (token === tokenizer.eosId) return { ...out, finishReason: "stop" };
    let code: string | undefined;
    for (const character of tokenizer.decode(Uint32Array.of(token))) {
      buffer += character;
      const stop = options.stopStrings.find((text) => buffer.endsWith(text));
      if (stop !== undefined) return { ...out, finishReason: "stop", stopString: stop };
      if (inCode && buffer.endsWith("```")) {
        inCode = false;
        fences++;
        const block = extractCode(buffer.slice(0, -3));
        buffer = "";
        if (block !== "") {
          code = block;
          break;
        }
      } else if (!inCode && fences < 2 * options.maxToolCalls && buffer.endsWith("```python")) {
        inCode = true;
        fences++;
        buffer = "";
      }
    }
    if (code === undefined) continue;
    if (out.ids.length >= options.maxCompletionLength) return out;
    const dead = code.includes("die") || code.includes("throw");
    const call = { code, seed: `${options.seed}/${id}/${out.codes.length}` };
    const result = dead
      ? { ...pythonResult(call), status: "crash" as const, stdout: "", stderr: "The code could not be run." }
      : pythonResult(call);
    out.codes.push(code);
    const { ids } = observe(result, formatObservation, tokenizer, options.maxToolResponseTokens);
    if (out.ids.length + ids.length >= options.maxCompletionLength) return out;
    for (const observed of ids) {
      out.ids.push(observed);
      out.mask.push(0);
      out.logprobs.push(0);
    }
  }
  return out;
}
