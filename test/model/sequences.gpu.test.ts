import { expect, test } from "vitest";
import { SequenceTables } from "../../src/model/sequences";
import { CONFIGS, modelContext } from "../support/reference/models";

test("pages that end inside an attention tile are refused, and so is a slot written past its end", async () => {
  const gpu = await modelContext();
  const [config] = Object.values(CONFIGS);
  if (config === undefined) throw new Error("no config");
  const tables = (pageSize: number) =>
    new SequenceTables(gpu, config, { slots: 2, slotLength: 12, pageSize, pages: 6 }, "test");
  for (const pageSize of [1, 2, 6]) expect(() => tables(pageSize)).toThrow(/do not hold whole attention tiles of 4/);
  const made = tables(4);
  expect(() => made.setTokens(0, 10, new Uint32Array(3))).toThrow(/slot 0 holds 12 tokens, not 13/);
  expect(() => made.setPages(1, new Uint32Array(4))).toThrow(/slot 1 has 3 pages, not 4/);
  made.destroy();
});
