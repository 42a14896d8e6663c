/** KV page copies, for a group's members that share a prompt whose last page is not full. */

import text from "../shaders/kv_copy.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import { defineProgram, elementGrid } from "./program";

const kvCopyProgram = defineProgram("kv_copy", text, {
  bindings: ["from_pages", "to_pages", "k_pages", "v_pages"],
  params: ["count", "page4"],
});

/**
 * Page toPages[i] becomes a copy of page fromPages[i] in one layer's pools; a page is `pageElements` long. No page may
 * be both a source and a target.
 */
export function kvCopy(
  gpu: GpuContext,
  views: { fromPages: BufferView; toPages: BufferView; kPages: BufferView; vPages: BufferView },
  shape: { count: number; pageElements: number },
): void {
  kvCopyProgram.record(gpu, {
    bindings: { from_pages: views.fromPages, to_pages: views.toPages, k_pages: views.kPages, v_pages: views.vPages },
    params: { count: shape.count, page4: shape.pageElements / 4 },
    grid: elementGrid((shape.count * shape.pageElements) / 4),
  });
}
