import { benchKernels } from "../../../kernels/bench/bench";
import { createContext } from "../../gpu/context";
import { closeNodeDevice, openNodeDevice } from "../../platform/node/adapter";
import type { CliIo } from "../io";
import type { BenchRequest } from "../runners";

/** `zerotir bench kernels`. @returns the exit code */
export async function runBenchKernels(request: BenchRequest, io: CliIo): Promise<number> {
  const log = (line: string) => io.stderr.write(`${line}\n`);
  const opened = await openNodeDevice({
    adapter: request.adapter ?? undefined,
    toggles: request.toggles,
    announce: log,
  });
  try {
    await benchKernels({ filter: request.filter ?? undefined, json: request.json }, createContext(opened), {
      out: (line) => io.stdout.write(`${line}\n`),
      log,
    });
    return 0;
  } finally {
    closeNodeDevice(opened);
  }
}
