import { benchKernels } from "../../kernels/bench/bench";
import type { CliIo } from "../cli/io";
import type { BenchRequest } from "../cli/runners";
import { countSteps } from "../diagnostics/step-counts";
import { createContext } from "../gpu/context";
import { closeNodeDevice, openNodeDevice } from "../platform/node/adapter";
import { napWhileWaiting } from "../platform/node/polling";

/** `zerotir bench kernels`: every kernel, then what a decode step and an optimizer step of the nano model cost. @returns the exit code */
export async function runBenchKernels(request: BenchRequest, io: CliIo): Promise<number> {
  const log = (line: string) => io.stderr.write(`${line}\n`);
  const opened = await openNodeDevice({
    adapter: request.adapter ?? undefined,
    toggles: request.toggles,
    announce: log,
  });
  try {
    const gpu = createContext(opened, opened.profile.isSoftware ? napWhileWaiting() : undefined);
    const out = (line: string) => io.stdout.write(`${line}\n`);
    await benchKernels({ filter: request.filter ?? undefined, json: request.json }, gpu, { out, log });
    if (request.filter === null)
      for (const step of await countSteps(gpu))
        out(
          request.json
            ? JSON.stringify(step)
            : `${step.name}: ${step.dispatches} dispatches, ${step.submits} submits, ${step.readbacks} readbacks, ${(step.seconds * 1000).toFixed(1)} ms, ${Math.round(step.tokens / step.seconds)} tokens/s`,
        );
    return 0;
  } finally {
    closeNodeDevice(opened);
  }
}
