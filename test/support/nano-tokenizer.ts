import { byteLevelCharacter } from "./tokenizers";

/** The end-of-sequence token, which is also the padding token. */
export const NANO_EOS = "<|endoftext|>";

/**
 * Strings that are one token each, after the 256 bytes and the end-of-sequence token. The longest match wins. The
 * closing fence `"\n```"` carries nothing after the backticks, so that sampling stops exactly at the end of a code
 * block. The strings of Python's error messages keep an observation with an error short.
 */
export const NANO_STRINGS = [
  "User: ",
  "\nAssistant:",
  "\n```python\n",
  "print(",
  "\n```",
  "\n```output\n",
  "\n```\n\n\n",
  "\\boxed{",
  "=\\boxed{",
  "```python",
  "```output",
  "```",
  "SyntaxError: ",
  "invalid syntax",
  "Traceback (most recent call last):\n",
] as const;

/**
 * tokenizer.json of the nano models: id b < 256 is the byte b, 256 is the end of sequence, then NANO_STRINGS in order;
 * 272 ids. It has no merges: the multi-character tokens are non-special added tokens, so that prompts, observations
 * (with special tokens off) and sampled ids share one segmentation, and any byte of a tool's output can be written.
 */
export function buildNanoTokenizerJson(): object {
  const added = (content: string, id: number, special: boolean) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special,
  });
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [added(NANO_EOS, 256, true), ...NANO_STRINGS.map((content, i) => added(content, 257 + i, false))],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(Array.from({ length: 256 }, (_, byte) => [byteLevelCharacter(byte), byte])),
      merges: [],
    },
  };
}

/** tokenizer_config.json that belongs to {@link buildNanoTokenizerJson}. */
export function buildNanoTokenizerConfig(): object {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    add_bos_token: false,
    add_eos_token: false,
    bos_token: null,
    eos_token: NANO_EOS,
    pad_token: NANO_EOS,
    unk_token: null,
    clean_up_tokenization_spaces: false,
    model_max_length: 256,
  };
}

/** The text of a tokenizer file as it stands in checkpoints/nano-base. */
export function tokenizerFileText(contents: object): string {
  return `${JSON.stringify(contents, null, 2)}\n`;
}
