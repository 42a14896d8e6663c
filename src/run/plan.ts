/** `plan`: the GPU memory of a training run. Nothing is loaded but config.json, and no GPU is needed. */
import type { PlanOptions } from "../options/plan";
import { modelFolder } from "../platform/node/models";
import { checkpointOf } from "../platform/node/training-host";
import { type MemoryPlan, planFor } from "../train/memory-plan";

/** @throws UserError for what the user can repair */
export async function plan(options: PlanOptions): Promise<MemoryPlan> {
  return planFor(modelFolder(await checkpointOf(options.modelNameOrPath)), options);
}
