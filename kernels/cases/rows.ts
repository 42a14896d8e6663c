/** Rows and page tables for the cases of ops that address slots. */
import { must } from "../../src/base/must";
import type { PageShape } from "../rope";
import type { Random } from "./inputs";

/** Positions `from` ... `to` - 1 of a slot, as consecutive rows. */
export interface Span {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

/** Whole sequences of these lengths, one per slot. */
export function wholeSequences(...lengths: readonly number[]): Span[] {
  return lengths.map((to, slot) => ({ slot, from: 0, to }));
}

/** One row in the list of rows: its slot and position. */
export interface Row {
  readonly slot: number;
  readonly position: number;
}

export function rowsOf(spans: readonly Span[]): Row[] {
  return spans.flatMap(({ slot, from, to }) =>
    Array.from({ length: to - from }, (_, i) => ({ slot, position: from + i })),
  );
}

/** The GPU's list of rows: slot, position, end of the span's rows, 0. */
export function rowTable(spans: readonly Span[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(
    spans.flatMap((span) => {
      end += span.to - span.from;
      return rowsOf([span]).flatMap(({ slot, position }) => [slot, position, end, 0]);
    }),
  );
}

export function rowCount(spans: readonly Span[]): number {
  return spans.reduce((total, { from, to }) => total + to - from, 0);
}

export function slotCount(spans: readonly Span[]): number {
  return spans.reduce((most, { slot }) => Math.max(most, slot + 1), 0);
}

/** Pages of a pool for these spans; page 0 belongs to nobody. */
export function poolPages(spans: readonly Span[], pages: PageShape): number {
  return 1 + slotCount(spans) * pages.pagesPerSlot;
}

/**
 * A page table with the pages of all slots in a random order; entries beyond a slot's last position name page 0, which
 * holds NaN.
 */
export function pageTable(random: Random, spans: readonly Span[], pages: PageShape): Uint32Array {
  const table = random.permutation(poolPages(spans, pages) - 1).map((page) => page + 1);
  for (let slot = 0; slot * pages.pagesPerSlot < table.length; slot++) {
    const length = Math.max(0, ...spans.filter((span) => span.slot === slot).map(({ to }) => to));
    const used = Math.ceil(length / pages.pageSize);
    table.fill(0, slot * pages.pagesPerSlot + used, (slot + 1) * pages.pagesPerSlot);
  }
  return table;
}

/** Index into a pool [page, kvHead, offset, headDim] of the first element of a slot's key or value. */
export function poolIndex(
  table: Uint32Array,
  shape: PageShape & { readonly kvHeads: number; readonly headDim: number },
  slot: number,
  position: number,
  kvHead: number,
): number {
  const page = must(table[slot * shape.pagesPerSlot + Math.floor(position / shape.pageSize)], "a page");
  return ((page * shape.kvHeads + kvHead) * shape.pageSize + (position % shape.pageSize)) * shape.headDim;
}

/** "3 + 1 + 9" for whole sequences, "4..6" for a part of one, "16 x 64" for equal ones. */
export function spanLabel(spans: readonly Span[]): string {
  const labels = spans.map(({ from, to }) => (from === 0 ? `${to}` : `${from}..${to}`));
  if (labels.length > 3 && new Set(labels).size === 1) return `${labels.length} x ${labels[0]}`;
  return labels.join(" + ");
}
