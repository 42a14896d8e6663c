/** `zerotir view` in Node. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { ViewEnd, ViewRequest, ViewWatch } from "../../cli/runners";
import { writeReport } from "./report-file";
import { serveRun } from "./server";

/** Writes the report, or serves the run until the signal. */
export async function viewInNode(request: ViewRequest, { signal, onServing }: ViewWatch): Promise<ViewEnd> {
  const { runFolder, output, port, open, rolloutsPerStep, maxSizeMb } = request;
  if (output !== null) {
    const path = output.endsWith("/") ? join(output, "report.html") : output;
    return { event: "report", ...(await writeReport(runFolder, path, { rolloutsPerStep, maxSizeMb })) };
  }
  const served = await serveRun(runFolder, port, rolloutsPerStep);
  try {
    onServing(served.address);
    if (open) openBrowser(served.address);
    if (!signal.aborted) await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
  } finally {
    await served.close();
  }
  return { event: "closed", address: served.address };
}

/** Shows an address in the user's browser; where there is none, the address on the screen has to do. */
function openBrowser(address: string): void {
  const [program, ...before] =
    process.platform === "darwin" ? ["open"] : process.platform === "win32" ? ["explorer"] : ["xdg-open"];
  const child = spawn(program ?? "xdg-open", [...before, address], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
