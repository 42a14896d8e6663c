import { describe, expect, it } from "vitest";
import { extractBoxed } from "../../src/reward/boxed";

describe("extractBoxed", () => {
  it.each([
    ["so \\boxed{3} then \\boxed{4}", "4"],
    ["\\boxed{\\{1,2\\}}", "\\{1,2\\}"],
    ["\\boxed{\\frac{1}{\\sqrt{2}}}", "\\frac{1}{\\sqrt{2}}"],
    ["\\boxed{12", undefined],
    ["\\boxed{3} and then \\boxed{12", "3"],
    ["\\fbox{7}", undefined],
    ["the boxed answer", undefined],
    ["$\\boxed 5$", "5"],
    ["$\\boxed 5", undefined],
    ["\\boxed{}", ""],
    ["\\boxed{1} ... <answer>\\boxed{2}</answer>", "2"],
    ["\\boxed{x=\\text{5 }}", "x=\\text{5 }"],
    ["\\boxed {7}", "7"],
    ["\\boxed{\\boxed{8}}", "8"],
    ["\\boxed{\\{1}", "\\{1"],
    ["\\\\boxed{9}", "9"],
    ["\\\\{ \\boxed{9} \\\\}", "9"],
    ["print({) } } \\boxed{5} {", "5"],
    ["```python\nx = {1: {2: 3}\n``` \\boxed{6}", "6"],
    ["\\boxed", undefined],
    ["\\", undefined],
    ["", undefined],
  ])("%j gives %j", (text, content) => {
    expect(extractBoxed(text)).toBe(content);
  });

  // What grew with the square of two million characters would not end within the limit.
  it("takes time linear in the text, whatever it holds", { timeout: 60_000 }, () => {
    for (const part of ["\\boxed{", "{", "}", "\\boxed ", "\\boxed{ }", "\\", "\\boxed $", " "]) {
      const text = part.repeat(2_000_000 / part.length);
      extractBoxed(text);
    }
  });

  it("never throws on random text", () => {
    const parts = ["\\boxed{", "\\boxed ", "{", "}", "\\", "$", " ", "1", "\n", "boxed", "\ud800"];
    let state = 12345;
    const next = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 8;
    };
    for (let i = 0; i < 3000; i++) {
      const text = Array.from({ length: next() % 24 }, () => parts[next() % parts.length]).join("");
      const content = extractBoxed(text);
      if (content !== undefined) expect(text).toContain(content);
    }
  });
});
