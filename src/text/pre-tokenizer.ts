/**
 * Pre-tokenizers as the reference implementation means them. Two of @huggingface/tokenizers 0.2.0 use JavaScript's own
 * character classes and so cut some texts in other places: `ByteLevel` takes U+FEFF for white space and U+0085 not, and
 * `Digits` knows only 0 to 9 where Unicode has more numbers (½, ², ٣). Its `Split` translates patterns properly, so
 * both are written as `Split` here.
 */
import { isRecord, type JsonObject } from "../base/json";

/** The pattern that `ByteLevel` stands for when `use_regex` is not false: GPT-2's. */
const BYTE_LEVEL_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

function split(pattern: string): JsonObject {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}

/** The `pre_tokenizer` of a tokenizer.json, rewritten where the library would cut wrongly. */
export function exactPreTokenizer(given: unknown): unknown {
  if (!isRecord(given)) return given;
  if (given.type === "Sequence" && Array.isArray(given.pretokenizers))
    return { ...given, pretokenizers: given.pretokenizers.map(exactPreTokenizer) };
  if (given.type === "Digits") return split(given.individual_digits === true ? "\\p{N}" : "\\p{N}+");
  // A prefix space would have to come before the split, which no other step can add.
  if (given.type === "ByteLevel" && given.use_regex !== false && given.add_prefix_space !== true)
    return { type: "Sequence", pretokenizers: [split(BYTE_LEVEL_PATTERN), { ...given, use_regex: false }] };
  return given;
}
