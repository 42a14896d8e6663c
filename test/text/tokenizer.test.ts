import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../src/text/load-tokenizer";
import { byteLevelBytes } from "../../src/text/tokenizer-json";
import { published } from "../support/published";
import { byteLevelCharacter, idOf } from "../support/tokenizers";

/** A JSON file, or the one packed by gzip that stands for it. */
function readJson(path: string): unknown {
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8"));
  return JSON.parse(gunzipSync(readFileSync(`${path}.gz`)).toString("utf8"));
}

/** Byte-level, with one merge ("ab") and two special tokens, one of which is also a vocabulary entry. */
const byteLevelJson = {
  added_tokens: [
    { id: 257, content: "<end>", special: true },
    { id: 258, content: "<tool>", special: false },
  ],
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: false },
  post_processor: null,
  decoder: { type: "ByteLevel" },
  model: {
    type: "BPE",
    vocab: {
      ...Object.fromEntries(Array.from({ length: 256 }, (_, byte) => [byteLevelCharacter(byte), byte])),
      ab: 256,
      "<end>": 257,
    },
    merges: [["a", "b"]],
    ignore_merges: true,
  },
};
const byteLevel = loadTokenizer(byteLevelJson, { eos_token: { content: "<end>" } });

/** As Llama 2: U+2581 for a space, one before the first word, bytes for characters without an entry. */
const sentencePiece = loadTokenizer(
  {
    added_tokens: [
      { id: 0, content: "<unk>", special: true },
      { id: 1, content: "</s>", special: true },
    ],
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "\u2581" },
        { type: "Replace", pattern: { String: " " }, content: "\u2581" },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [{ type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }],
    },
    model: {
      type: "BPE",
      unk_token: "<unk>",
      byte_fallback: true,
      vocab: {
        "<unk>": 0,
        "</s>": 1,
        "\u2581": 2,
        h: 3,
        i: 4,
        "\u2581h": 5,
        s: 6,
        ...Object.fromEntries(
          Array.from({ length: 256 }, (_, byte) => [
            `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
            10 + byte,
          ]),
        ),
      },
      merges: ["\u2581 h"],
    },
  },
  { eos_token: "</s>" },
);

describe("byte alphabet", () => {
  it("is the one of GPT-2, and inverts", () => {
    expect(byteLevelCharacter(0x20)).toBe("\u0120");
    expect(byteLevelCharacter(0x0a)).toBe("\u010a");
    expect(byteLevelCharacter(0xad)).toBe("\u0143");
    expect(byteLevelCharacter(0x41)).toBe("A");
    for (let byte = 0; byte < 256; byte++)
      expect(byteLevelBytes(byteLevelCharacter(byte))).toEqual(Uint8Array.of(byte));
    expect(byteLevelBytes("\u2581")).toBeUndefined();
  });
});

describe("byte-level BPE", () => {
  it("encodes with merges and special tokens, and adds nothing", () => {
    expect(byteLevel.vocabularySize).toBe(259);
    expect(byteLevel.eosId).toBe(257);
    expect([...byteLevel.encode("cab<end>")]).toEqual([99, 256, 257]);
    expect(byteLevel.encode("")).toEqual(new Uint32Array());
    expect(idOf(byteLevel, "ab")).toBe(256);
    expect(idOf(byteLevel, "abc")).toBeUndefined();
  });

  it("writes a special token's name in outside text letter by letter, and leaves other text as it is", () => {
    const plain = byteLevel.encodePlain("cab<end><tool>");
    expect([...plain]).toEqual([99, 256, ...Buffer.from("<end>"), 258]);
    expect(byteLevel.decode(plain)).toBe("cab<end><tool>");
    // A pre-token that equals the vocabulary entry must not become the special id either.
    expect([...byteLevel.encodePlain("<end>")]).toEqual([...Buffer.from("<end>")]);
    expect(byteLevel.encodePlain("cab")).toEqual(byteLevel.encode("cab"));
  });

  it("leaves special tokens out of decoded text when asked", () => {
    expect(byteLevel.decode([97, 257, 98])).toBe("a<end>b");
    expect(byteLevel.decode([97, 257, 98], { skipSpecialTokens: true })).toBe("ab");
  });

  it("holds back a character until its last byte", () => {
    const text = "é\u{1f600}z";
    const ids = byteLevel.encode(text);
    const stream = byteLevel.stream();
    const pieces = [...ids].map((id) => stream.push(id));
    expect(pieces).toEqual(["", "é", "", "", "", "\u{1f600}", "z"]);
    expect(stream.end()).toBe("");
    stream.push(0xf0);
    expect(stream.end()).toBe("\ufffd");
    expect(byteLevel.decode([0xc3])).toBe("\ufffd");
    expect(byteLevel.tokenText(0xc3)).toBe("\ufffd");
  });

  it("keeps a byte-order mark", () => {
    expect(byteLevel.decode(byteLevel.encode("\ufeffa"))).toBe("\ufeffa");
  });

  it("refuses an id outside the vocabulary", () => {
    expect(() => byteLevel.decode([259])).toThrow(/token id 259 is outside the vocabulary of 259/);
  });
});

describe("byte-fallback BPE", () => {
  it("decodes as the file's decoder does", () => {
    expect([...sentencePiece.encode("hi h")]).toEqual([5, 4, 5]);
    expect(sentencePiece.decode([5, 4, 5])).toBe("hi h");
    expect(sentencePiece.decode([5, 4], { continuation: true })).toBe(" hi");
    expect(sentencePiece.decode(sentencePiece.encode("h é"))).toBe("h é");
  });

  it("never gives outside text a special id", () => {
    const ids = sentencePiece.encodePlain("h</s>");
    expect([...ids]).not.toContain(1);
    expect(sentencePiece.decode(ids)).toBe("h</s>");
  });
});

describe("files that are no tokenizer", () => {
  it.each([
    [null, {}, /no `model` object/],
    [{ model: { type: "Unigram", vocab: [] } }, {}, /"Unigram" is not supported/],
    [{ model: { type: "BPE" } }, {}, /model.vocab and model.merges/],
    [
      { ...byteLevelJson, decoder: { type: "WordPiece" } },
      { eos_token: "<end>" },
      /decoder WordPiece is not supported/,
    ],
    [byteLevelJson, {}, /eos_token is null/],
    [byteLevelJson, { eos_token: "<eos>" }, /"<eos>" is not in tokenizer.json/],
    [byteLevelJson, "x", /expected a JSON object/],
  ])("says what is wrong (%#)", (json, config, message) => {
    expect(() => loadTokenizer(json, config)).toThrow(message);
    expect(() => loadTokenizer(json, config)).toThrow(expect.objectContaining({ name: "UserError" }));
  });
});

const SAMPLES = [
  "Hello world",
  "What is 1234*567?\n```python\nprint(1234*567)\n```\n",
  "  indented\n\n\n\ttab  é — 你好 \u{1f600}\u{1f469}\u200d\u{1f4bb} end ",
  'Traceback (most recent call last):\n  File "<stdin>", line 1\nZeroDivisionError: division by zero',
  "<|endoftext|> <|im_start|>user\nhi<|im_end|> </s> <|end_story|>",
];

describe("published tokenizers", () => {
  for (const [name, hello, size] of [
    ["tokenizer-gpt2", [15496, 995], 50257],
    ["tokenizer-smollm2", [19556, 905], 49152],
    ["tokenizer-qwen3", [9707, 1879], 151669],
    ["tokenizer-llama3.1", [9906, 1917], 128256],
    // Has no ids for bytes: what it cannot write is its unknown token.
    ["tinystories-656k", undefined, 2048],
    ["stories260K", undefined, 512],
  ] as const) {
    const { folder, isMissing, title } = published(name, "tokenizer.json");
    it.skipIf(isMissing)(title, () => {
      const json = readJson(`${folder}/tokenizer.json`);
      const config = readJson(`${folder}/tokenizer_config.json`);
      const tokenizer = loadTokenizer(json, config);
      expect(tokenizer.vocabularySize).toBe(size);
      if (hello !== undefined) expect([...tokenizer.encode("Hello world")]).toEqual(hello);
      const reference = new HuggingFaceTokenizer(json as object, config as object);
      for (const text of SAMPLES) {
        const ids = tokenizer.encode(text);
        const plain = tokenizer.encodePlain(text);
        expect([...plain].filter((id) => tokenizer.specialIds.has(id) && tokenizer.tokenText(id) !== "<unk>")).toEqual(
          [],
        );
        if (name !== "tinystories-656k") expect(tokenizer.decode(plain)).toBe(text);
        const options = { skip_special_tokens: false, clean_up_tokenization_spaces: false };
        expect(tokenizer.decode(ids)).toBe(reference.decode([...ids], options));
        const stream = tokenizer.stream();
        const streamed = [...ids].map((id) => stream.push(id)).join("") + stream.end();
        expect(streamed).toBe(tokenizer.decode(ids, { continuation: true }));
      }
    });
  }
});
