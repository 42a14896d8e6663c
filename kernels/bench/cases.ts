/** The microbenchmarks: cases of every op's table at the sizes of the nano model, and of square matrices. */
import type { DeviceProfile } from "../../src/gpu/profile";
import { adamw8bitBenchCases } from "../adamw_8bit.cases";
import { attentionBenchCases } from "../attention.cases";
import type { KernelCase } from "../cases";
import { columnSumBenchCases } from "../column_sum.cases";
import { embeddingBenchCases } from "../embedding.cases";
import { gatherBenchCases } from "../gather.cases";
import { kvCopyBenchCases } from "../kv_copy.cases";
import { linearBenchCases, linearLargeCases } from "../linear.cases";
import { optimizerBenchCases } from "../optimizer.cases";
import { rmsNormBenchCases } from "../rms_norm.cases";
import { ropeBenchCases } from "../rope.cases";
import { samplingBenchCases } from "../sampling.cases";
import { swigluBenchCases } from "../swiglu.cases";

export function benchCases(profile: DeviceProfile): readonly KernelCase[] {
  return [
    ...embeddingBenchCases,
    ...rmsNormBenchCases,
    ...columnSumBenchCases,
    ...linearBenchCases,
    ...(profile.isSoftware ? [] : linearLargeCases),
    ...ropeBenchCases,
    ...attentionBenchCases,
    ...swigluBenchCases,
    ...gatherBenchCases,
    ...samplingBenchCases,
    ...kvCopyBenchCases,
    ...optimizerBenchCases,
    ...adamw8bitBenchCases,
  ];
}
