/** Prompts with responses that are made, not read. */
import type { TrainingSequence } from "../model/policy-pass";
import type { RowSource } from "../session/questions";
import { type NanoDocument, nanoDocument } from "../tasks/nano/documents";
import type { Tokenizer } from "../text/tokenizer";
import { cut, join } from "./sft-examples";

/** Far beyond any number of documents that is trained on. */
const HELD_OUT_FROM = 2 ** 30;

/** The corpus of that name as prompts and responses, the tool's output unscored; undefined when there is none. */
export function syntheticExamples(
  name: string,
  seed: number,
  tokenizer: Tokenizer,
  maxLength: number,
): RowSource<TrainingSequence> | undefined {
  if (name !== "nano") return undefined;
  const example = (index: number) => {
    const whole = documentExample(nanoDocument(seed, index), tokenizer);
    return cut(whole, maxLength) ?? whole;
  };
  return {
    name,
    passLength: Number.POSITIVE_INFINITY,
    train: example,
    heldOut: (count) => Array.from({ length: count }, (_, index) => example(HELD_OUT_FROM + index)),
  };
}

/** Each piece is encoded on its own and the tool's output with special tokens off, as in a rollout. */
export function documentExample({ prompt, pieces }: NanoDocument, tokenizer: Tokenizer): TrainingSequence {
  return join([
    { ids: tokenizer.encode(prompt), scored: false },
    ...pieces.map(({ text, source }) =>
      source === "tool"
        ? { ids: tokenizer.encodePlain(text), scored: false }
        : { ids: tokenizer.encode(text), scored: true },
    ),
    { ids: [tokenizer.eosId], scored: true },
  ]);
}
