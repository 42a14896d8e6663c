/** `bench kernels`: every kernel against the roofline, then the cost of a decode step and of an optimizer step. */

import { benchKernels } from "../../kernels/bench/bench";
import { countSteps, type StepCounts } from "../diagnostics/step-counts";
import { createContext } from "../gpu/context";
import type { Toggles } from "../gpu/device";
import { closeNodeDevice, openNodeDevice } from "../platform/node/adapter";
import { napWhileWaiting } from "../platform/node/polling";

export interface KernelBenchRequest {
  readonly adapter: string | null;
  readonly toggles: Toggles;
  /** A part of the names of the cases to run; null: all, and the steps. */
  readonly filter: string | null;
  /** Lines of JSON in place of a table. */
  readonly json: boolean;
}

export interface KernelBenchEvents {
  /** A line of the table of kernels. */
  readonly onLine: (line: string) => void;
  readonly onStep: (step: StepCounts) => void;
  readonly announce: (line: string) => void;
}

/** @throws UserError when there is no adapter or no such case */
export async function benchEveryKernel(request: KernelBenchRequest, events: KernelBenchEvents): Promise<void> {
  const { adapter, toggles, filter, json } = request;
  const { announce, onLine, onStep } = events;
  const opened = await openNodeDevice({ adapter: adapter ?? undefined, toggles, announce });
  try {
    const gpu = createContext(opened, opened.profile.isSoftware ? napWhileWaiting() : undefined);
    await benchKernels({ filter: filter ?? undefined, json }, gpu, { out: onLine, log: announce });
    if (filter === null) for (const step of await countSteps(gpu)) onStep(step);
  } finally {
    closeNodeDevice(opened);
  }
}
