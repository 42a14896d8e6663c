/** The Python engines of Node, by the name that `--tool-engine` gives. */
import { availableParallelism } from "node:os";
import { UserError } from "../../base/errors";
import type { EngineName, PythonEngine } from "../engine";
import { createHttpEngine } from "../http/engine";
import { createNoEngine } from "../no-engine";
import { createNativeEngine } from "./native";
import { createNodeSandbox } from "./sandbox";

/** What an engine is opened with. */
export interface EngineRequest {
  readonly engine: EngineName;
  /** Address of the service of engine `http`; null for any other. */
  readonly url: string | null;
  /** Memory limit for which the interpreter of `wasi` is compiled ahead, in MiB. */
  readonly memoryMb: number;
  /** Folder or zip of pure Python packages for engine `wasi`; null for none. */
  readonly packages?: string | null;
  /** Told when the start takes a while, and why. */
  readonly announce?: (message: string) => void;
  /** Programs that run at once on this machine; default: one per core, at most 4. */
  readonly workerCount?: number;
}

/**
 * Opens an engine, ready for calls.
 *
 * @throws Error named UserError when the engine lacks something that the user can give
 */
export async function openNodeEngine(request: EngineRequest): Promise<PythonEngine> {
  const { engine, url, memoryMb, packages = null, workerCount } = request;
  if (url !== null && engine !== "http")
    throw new UserError(
      `--tool-url ${url} is for --tool-engine http, but the engine is ${engine}; add --tool-engine http`,
    );
  if (packages !== null && engine !== "wasi")
    throw new UserError(
      `--tool-packages ${packages} is for --tool-engine wasi, but the engine is ${engine}; leave one of the two out`,
    );
  const workers = workerCount ?? Math.min(availableParallelism(), 4);
  switch (engine) {
    case "wasi":
      return createNodeSandbox({
        workerCount: workers,
        memoryMb,
        ...(packages === null ? {} : { packages: { path: packages } }),
        ...(request.announce === undefined ? {} : { announce: request.announce }),
      });
    case "native":
      return createNativeEngine({ workerCount: workers });
    case "none":
      return createNoEngine();
    case "http":
      if (url === null)
        throw new UserError(
          "--tool-engine http needs --tool-url: the address of a SandboxFusion service, such as http://localhost:8080",
        );
      return createHttpEngine({ url });
  }
}
