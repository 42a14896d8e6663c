/** Target plans: the models and endpoints that the options of `eval` name. */
import type { GpuContext } from "../gpu/context";
import type { EvalOptions } from "../options/evaluate";
import type { TrainingHost } from "../session/host";
import { openEndpointTarget } from "./endpoint/target";
import { openLocalTarget } from "./local-target";
import type { TargetPlan } from "./target";

/**
 * One plan per model, checkpoints first. Checkpoints share one device, opened for the first of them.
 * @param checkpointOf the folder that a model's name stands for
 * @param endpointKey is sent to the endpoint and goes nowhere else
 */
export async function targetPlans(
  options: EvalOptions,
  host: TrainingHost,
  checkpointOf: (name: string) => Promise<string>,
  endpointKey: string | undefined,
): Promise<TargetPlan[]> {
  const { modelNameOrPath: models, endpoint, endpointModel, maxToolCalls: sweep, ...shared } = options;
  const maxToolCalls = Math.max(...sweep);
  let gpu: Promise<GpuContext> | undefined;
  const local = await Promise.all(
    models.map(async (name): Promise<TargetPlan> => {
      const modelNameOrPath = await checkpointOf(name);
      return {
        name,
        label: labelOf(name),
        identity: modelNameOrPath,
        async open(trajectories) {
          gpu ??= host.openGpu(options);
          return openLocalTarget({ ...shared, modelNameOrPath, maxToolCalls }, host, await gpu, trajectories);
        },
      };
    }),
  );
  const remote = endpointModel.map(
    (name): TargetPlan => ({
      name,
      label: name,
      identity: `${name} at ${endpoint}`,
      open: () =>
        openEndpointTarget({ ...shared, endpoint: endpoint ?? "", model: name, maxToolCalls }, host, endpointKey),
    }),
  );
  const plans = [...local, ...remote];
  const isAlone = (label: string) => plans.filter((plan) => plan.label === label).length === 1;
  return plans.map((plan) => ({ ...plan, label: isAlone(plan.label) ? plan.label : plan.name }));
}

/** A path's last part; of a checkpoint in a run folder also the run's. */
function labelOf(name: string): string {
  const parts = name.split(/[/\\]/).filter((part) => part !== "");
  const last = parts.at(-1) ?? name;
  return /^step_\d+$/.test(last) && parts.at(-2) === "checkpoints" ? `${parts.at(-3) ?? ""}/${last}` : last;
}
