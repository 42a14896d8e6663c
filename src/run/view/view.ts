/** `view`: a run as a file, or as a page that follows it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type WrittenReport, writeReport } from "./report-file";
import { serveRun } from "./server";

export interface ViewRequest {
  readonly runFolder: string;
  /** The file to write; null: serve the page. */
  readonly output: string | null;
  /** 0: a free one. */
  readonly port: number;
  /** Show it in the user's browser. */
  readonly open: boolean;
  readonly rolloutsPerStep: number;
  readonly maxSizeMb: number;
}

export interface ViewWatch {
  /** Aborted by Ctrl-C: stop serving. */
  readonly signal: AbortSignal;
  readonly onServing: (address: string) => void;
}

/** A file was written, or the page was served until the end. */
export type ViewEnd =
  | ({ readonly event: "report" } & WrittenReport)
  | { readonly event: "closed"; readonly address: string };

/** Writes the report, or serves the run until the signal. @throws UserError for what the user can repair */
export async function view(request: ViewRequest, { signal, onServing }: ViewWatch): Promise<ViewEnd> {
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
