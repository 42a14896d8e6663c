import { describe, expect, test } from "vitest";
import { parseMixture } from "../../src/options/supervised";
import type { DocumentSource } from "../../src/supervised/documents";
import { mixedDocuments } from "../../src/supervised/documents";

/** Documents of one length, all of the same id. */
function source(id: number, length: number): DocumentSource {
  return {
    name: String(id),
    *train() {
      for (;;) yield new Uint32Array(length).fill(id);
    },
    heldOut: () => [],
  };
}

test("tokens, not documents, have the weights' shares, at any time", () => {
  const stream = mixedDocuments(
    [
      { source: source(1, 11), weight: 0.7 },
      { source: source(2, 41), weight: 0.3 },
    ],
    31,
  );
  const tokens = [0, 0];
  for (let i = 0; i < 400; i++) {
    const document = stream.next().value ?? new Uint32Array();
    const index = (document[0] ?? 0) - 1;
    tokens[index] = (tokens[index] ?? 0) + Math.min(document.length, 31) - 1;
    const [first = 0, second = 0] = tokens;
    // One document, of 30 tokens at most, is all that the shares may be off.
    expect(Math.abs(0.3 * first - 0.7 * second)).toBeLessThanOrEqual(30);
  }
});

describe("the text of a mixture", () => {
  test("has weights behind colons, or is one data set", () => {
    expect(parseMixture("a.jsonl:0.7,C:\\b.txt:3e-1")).toEqual([
      { dataset: "a.jsonl", weight: 0.7 },
      { dataset: "C:\\b.txt", weight: 0.3 },
    ]);
    expect(parseMixture("a,b.jsonl")).toEqual([{ dataset: "a,b.jsonl", weight: 1 }]);
  });

  test.each([
    ["a:1,b", /"b" has no weight above 0/],
    ["a:1,b:-1", /"b:-1" has no weight above 0/],
    ["a:1,a:2", /a comes twice/],
  ])("%s is refused", (text, message) => {
    expect(() => parseMixture(text)).toThrow(message);
  });
});
