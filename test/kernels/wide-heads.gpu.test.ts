/**
 * Attention at the heads of real models. SwiftShader takes seconds to compile each of these programs, Mesa 25 minutes,
 * so they run when ZEROTIR_WIDE_HEADS is set, with ZEROTIR_ADAPTER=swiftshader.
 */
import { describe } from "vitest";
import { type AttentionCaseShape, attentionBackwardCase, attentionCase } from "../../kernels/attention.cases";
import { wholeSequences } from "../../kernels/cases/rows";
import { testCases } from "./support";

/** Query heads, key heads, width. */
const HEADS = [
  [7, 1, 64],
  [3, 3, 80],
  [2, 1, 96],
  [6, 1, 128],
  [2, 1, 256],
  [16, 1, 32],
] as const;

const WHOLE = wholeSequences(21, 3);
const SINGLE = [4, 17, 9].map((position, slot) => ({ slot, from: position, to: position + 1 }));

describe.runIf(process.env.ZEROTIR_WIDE_HEADS !== undefined)("heads of real models", () => {
  testCases(
    HEADS.flatMap(([heads, kvHeads, headDim]) => {
      const shape = (spans: AttentionCaseShape["spans"]) => ({
        spans,
        heads,
        kvHeads,
        headDim,
        pageSize: 8,
        pagesPerSlot: 3,
      });
      return [attentionCase(shape(WHOLE)), attentionCase(shape(SINGLE)), attentionBackwardCase(shape(WHOLE))];
    }),
  );
});
