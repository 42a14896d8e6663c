/**
 * Ids of published tokenizers against those of the reference implementation (tokenizers 0.23.2, Rust), which made
 * reference-ids.json.
 */
import { describe, expect, test } from "vitest";
import { nodeFolder } from "../../src/platform/node/files";
import { loadTokenizerOf } from "../../src/session/loaded-model";
import { published } from "../support/published";
import reference from "./reference-ids.json" with { type: "json" };

describe("gives the reference's ids, and byte-level ones the text back", () => {
  for (const [name, ids] of Object.entries(reference.ids)) {
    const { folder, isMissing, title } = published(name, "tokenizer.json");
    test.skipIf(isMissing)(title, async () => {
      const { tokenizer } = await loadTokenizerOf(nodeFolder(folder));
      expect(ids.length).toBe(reference.texts.length);
      reference.texts.forEach((text, index) => {
        expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(ids[index]);
        // NFC changes a text before it is cut, and SentencePiece's sign for a space comes back as a space.
        if (["tokenizer-gpt2", "tokenizer-llama3.1", "tokenizer-smollm2"].includes(name))
          expect(tokenizer.decode(ids[index] ?? [])).toBe(text);
      });
    });
  }
});
