import { describe, expect, it } from "vitest";
import { PagePool, planPages } from "../../src/rollout/page-pool";
import { random } from "./fakes";

describe("page pool", () => {
  it("gives the lowest free pages, all or none", () => {
    const pool = new PagePool(6);
    expect(pool.allocate(4)).toEqual([0, 1, 2, 3]);
    expect(pool.allocate(3)).toBeUndefined();
    pool.release([2, 0]);
    expect(pool.allocate(3)).toEqual([0, 2, 4]);
    expect([pool.free, pool.used]).toEqual([1, 5]);
    expect(pool.allocate(0)).toEqual([]);
  });

  it("frees a page with its last reference, and knows one that is not in use", () => {
    const pool = new PagePool(2);
    const pages = pool.allocate(1) ?? [];
    pool.retain(pages);
    pool.release(pages);
    expect(pool.free).toBe(1);
    pool.release(pages);
    expect(pool.free).toBe(2);
    expect(() => pool.release([0])).toThrow("page 0 is not in use");
    expect(() => pool.retain([1])).toThrow("page 1 is not in use");
    expect(() => pool.release([9])).toThrow("page 9 is not in use");
  });

  it("agrees with a plain list of counts", () => {
    const draw = random(5);
    const counts = new Array<number>(12).fill(0);
    const pool = new PagePool(12);
    for (let i = 0; i < 500; i++) {
      const held = counts.flatMap((count, page) => (count > 0 ? [page] : []));
      const page = held[draw(12)];
      if (page !== undefined && draw(2) === 0) {
        const change = draw(3) === 0 ? 1 : -1;
        if (change > 0) pool.retain([page]);
        else pool.release([page]);
        counts[page] = (counts[page] ?? 0) + change;
      } else {
        const want = draw(5);
        const free = counts.flatMap((count, index) => (count === 0 ? [index] : []));
        const expected = want > free.length ? undefined : free.slice(0, want);
        expect(pool.allocate(want)).toEqual(expected);
        for (const index of expected ?? []) counts[index] = 1;
      }
      expect(pool.free).toBe(counts.filter((count) => count === 0).length);
    }
  });
});

it.each([
  [1, 1, 4, { shared: 0, total: 1 }],
  [4, 1, 4, { shared: 0, total: 1 }],
  [4, 2, 4, { shared: 0, total: 2 }],
  [5, 1, 4, { shared: 1, total: 2 }],
  [10, 7, 4, { shared: 2, total: 4 }],
  [10, 8, 4, { shared: 2, total: 5 }],
])("prompt of %i, completion of %i, pages of %i", (prompt, completion, pageSize, plan) => {
  expect(planPages(prompt, completion, pageSize)).toEqual(plan);
});
