import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { UserError } from "../../base/errors";
import type { PackageOptions } from "./packages";

/** From the cache it takes less. */
const LONG_MS = 1500;

/**
 * The folder of assets with these packages, made or found by a thread of its own.
 *
 * @param entryPath any of the built entries, beside which the thread's lies
 * @throws UserError when the packages can't be read or imported
 */
export async function packageAssetsInThread(
  entryPath: string,
  assetFolder: string,
  packages: PackageOptions,
  announce: (message: string) => void = () => undefined,
): Promise<string> {
  const worker = new Worker(join(dirname(entryPath), "sandbox-packages.js"), { workerData: { assetFolder, packages } });
  const late = setTimeout(
    () => announce(`making the snapshot of the Python packages in ${packages.path} (once; it is kept)`),
    LONG_MS,
  );
  try {
    return await new Promise<string>((resolve, reject) => {
      worker.once("message", resolve);
      // An error keeps its message and its name, not its class.
      worker.once("error", (error) => reject(error.name === "UserError" ? new UserError(error.message) : error));
      worker.once("exit", (code) => reject(new Error(`the thread that packs the Python packages ended with ${code}`)));
    });
  } finally {
    clearTimeout(late);
    await worker.terminate();
  }
}
