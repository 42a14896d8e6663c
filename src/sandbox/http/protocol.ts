/** The JSON of SandboxFusion's `POST /run_code`: a call as a request, and a response as a result. */
import { NotReady } from "../../base/http";
import { isRecord, type JsonObject } from "../../base/json";
import { outputStops, type PythonCall, type PythonResult } from "../engine";
import { CappedOutput } from "../wasi/output";

/** Seconds that the service may take before the program starts; Python needs none. */
export const COMPILE_SECONDS = 10;

/** The part of a result that the service knows. */
export type RemoteResult = Pick<PythonResult, "status" | "stdout" | "stderr" | "truncated">;

/**
 * Body of the request for a call. `seed` has no place in it: programs run there draw from the service's own randomness.
 */
export function requestBody(call: PythonCall, requestId: string): string {
  return JSON.stringify({
    code: call.code,
    language: "python",
    compile_timeout: COMPILE_SECONDS,
    run_timeout: call.timeoutMs / 1000,
    memory_limit_MB: call.memoryMb,
    stdin: null,
    files: {},
    fetch_files: [],
    request_id: requestId,
  });
}

/** A response of more bytes is not read: JSON writes a byte of output in up to six. */
export function longestResponse(call: PythonCall): number {
  const { stdout, stderr } = outputStops(call.maxOutputBytes);
  return 6 * (stdout + stderr) + 65_536;
}

/**
 * Result of a response's body. Only a service that echoes `request_id` is held to it; the stock one has no such field.
 *
 * @throws NotReady for what is no answer to this request: another try may give one
 */
export function resultOf(body: string, call: PythonCall, requestId: string): RemoteResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new NotReady("the answer is not JSON");
  }
  const response = record(parsed);
  const echo = response.request_id;
  if (echo !== undefined && echo !== null && echo !== requestId)
    throw new NotReady("the answer belongs to another request");
  const run = record(response.run_result);
  const finished = run.status === "Finished";
  const stdout = cut(run.stdout, call.maxOutputBytes);
  const stderr = cut(run.stderr, call.maxOutputBytes);
  const result = { stdout: stdout.text, stderr: stderr.text, truncated: stdout.truncated || stderr.truncated };
  if (response.status === "Success") return { ...result, status: "ok" };
  if (response.status === "Failed") {
    const compile = record(response.compile_result);
    if (run.status === "TimeLimitExceeded" || compile.status === "TimeLimitExceeded")
      return { ...result, status: "timeout" };
    if (finished) return { ...result, status: endsInMemoryError(stderr.text) ? "oom" : "error" };
  }
  const message = typeof response.message === "string" && response.message !== "" ? `: ${response.message}` : "";
  throw new NotReady(`the answer's status is ${JSON.stringify(response.status) ?? "missing"}${message}`);
}

/** Whether a traceback's last line names a MemoryError. */
export function endsInMemoryError(stderr: string): boolean {
  return /(?:^|\n)MemoryError\b[^\n]*\s*$/.test(stderr);
}

function cut(value: unknown, limit: number): { text: string; truncated: boolean } {
  const output = new CappedOutput(limit);
  output.write(new TextEncoder().encode(typeof value === "string" ? value : ""));
  return { text: output.text(), truncated: output.truncated };
}

/** The value as an object; an empty one if it is none. */
function record(value: unknown): JsonObject {
  return isRecord(value) ? value : {};
}
