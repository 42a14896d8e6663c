import { describe, expect, it } from "vitest";
import { dataElement, inertJson, livePage, splitPage } from "../../src/report/html/embed";
import { rolloutsShown, StepSelection } from "../../src/report/html/selection";

describe("data in the page", () => {
  it("gives back what was put in, and cannot end its element", () => {
    const value = { a: "</script><!-- & \u2028\u2029 \ud800 \u0000 $& 😀", __proto__x: [1, null] };
    const text = inertJson(value);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).not.toMatch(/[<>&\u2028\u2029]/);
    // Valid UTF-8: a lone surrogate would come back as U+FFFD.
    expect(JSON.parse(Buffer.from(text).toString())).toEqual(value);
    expect(dataElement('id="x"', text)).toBe(`<script type="application/json" id="x">${text}</script>\n`);
  });

  it("goes to the one place the page has for it", () => {
    expect(splitPage("<a><!--data--><b>")).toEqual(["<a>", "<b>"]);
    expect(() => splitPage("<a>")).toThrow("no place");
    expect(() => splitPage("<!--data--><!--data-->")).toThrow("no place");
  });

  it("may ask its own server when there is one", () => {
    expect(livePage("default-src 'none'; x<!--data-->y")).toBe("default-src 'none'; connect-src 'self'; xy");
    expect(() => livePage("x<!--data-->y")).toThrow("policy");
  });
});

describe("which rollouts are shown", () => {
  it("takes whole groups, or a part of one", () => {
    expect(rolloutsShown(16, 8)).toBe(16);
    expect(rolloutsShown(20, 8)).toBe(16);
    expect(rolloutsShown(5, 8)).toBe(5);
    expect(rolloutsShown(0, 8)).toBe(0);
    expect(rolloutsShown(7, 1)).toBe(7);
  });

  const selected = (limit: number, sizes: readonly number[]) => {
    const selection = new StepSelection(limit);
    const read: number[] = [];
    for (const [place, bytes] of sizes.entries()) {
      const isLast = place === sizes.length - 1;
      if (!selection.wants(place, isLast)) continue;
      read.push(place + 1);
      selection.add(place, isLast, { step: place + 1, text: "", bytes, count: 1 });
    }
    return { steps: selection.kept.map(({ step }) => step), read };
  };

  it("keeps every step that fits", () => {
    expect(selected(50, Array(5).fill(10)).steps).toEqual([1, 2, 3, 4, 5]);
  });

  it("thins evenly, keeps the first and the last, and stops reading what would be dropped", () => {
    const { steps, read } = selected(100, Array(500).fill(10));
    expect(steps).toEqual([1, 65, 129, 193, 257, 321, 385, 449, 500]);
    expect(read.length).toBeLessThan(60);
    expect(selected(100, [50, 10, 10, 10, 50]).steps).toEqual([1, 5]);
  });

  it("refuses a step that would leave no room for a second", () => {
    expect(() => selected(100, [51])).toThrow(RangeError);
  });
});
