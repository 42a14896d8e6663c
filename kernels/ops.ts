/**
 * All ops: what test/kernels checks and `zerotir bench kernels` times, in this order. A shader that no case of an op
 * in this list dispatches fails the tests.
 */
import { adamwOp } from "./adamw.cases";
import { adamw8bitOp } from "./adamw_8bit.cases";
import { attentionOp } from "./attention.cases";
import type { Op } from "./cases/case";
import { columnSumOp } from "./column_sum.cases";
import { embeddingOp } from "./embedding.cases";
import { gatherOp } from "./gather.cases";
import { gradientNormOp } from "./gradient_norm.cases";
import { kvCopyOp } from "./kv_copy.cases";
import { linearOp } from "./linear.cases";
import { linearGatedOp } from "./linear_gated.cases";
import { rmsNormOp } from "./rms_norm.cases";
import { ropeOp } from "./rope.cases";
import { logitsGradientOp, sampleOp, tokenLogProbOp } from "./sampling.cases";
import { storeHalvesOp } from "./store_halves.cases";
import { swigluOp } from "./swiglu.cases";

export const OPS: readonly Op[] = [
  embeddingOp,
  rmsNormOp,
  columnSumOp,
  linearOp,
  linearGatedOp,
  ropeOp,
  attentionOp,
  swigluOp,
  gatherOp,
  sampleOp,
  tokenLogProbOp,
  logitsGradientOp,
  kvCopyOp,
  gradientNormOp,
  adamwOp,
  adamw8bitOp,
  storeHalvesOp,
];
