/** Python on a machine of the user's: an HTTP service that speaks SandboxFusion's protocol. */
import { UserError } from "../../base/errors";
import { fetchReason, httpAddress, isTemporary, NotReady, RequestLimit, untilReady } from "../../base/http";
import { type CallEnd, CallQueue, CLOSED } from "../calls";
import { DEFAULT_LIMITS, type PythonCall, type PythonEngine } from "../engine";
import { COMPILE_SECONDS, longestResponse, requestBody, resultOf } from "./protocol";

/** How the service is reached. */
export interface HttpEngineOptions {
  /** Address of the service, with or without `/run_code`. */
  url: string;
  /** Requests under way at once, over all callers; the others wait. */
  concurrency?: number;
  /** Requests per call at most, the first one included. */
  tries?: number;
  /** Wait before the second request; each further wait is twice as long. */
  firstWaitMs?: number;
  /** Time for a call beyond its own limit, over all requests and waits, in milliseconds. */
  graceMs?: number;
}

/** Beyond the service's own limits, for the network and its queue. */
const REQUEST_GRACE_MS = 10_000;

const DEFAULTS = { concurrency: 32, tries: 3, firstWaitMs: 1000, graceMs: 25_000 } as const;

/**
 * Opens the service and has it run one program.
 *
 * @throws UserError when the address is none or nothing answers there as the protocol says
 */
export async function createHttpEngine(options: HttpEngineOptions): Promise<PythonEngine> {
  const all = { ...DEFAULTS, ...options, url: addressOf(options.url) };
  const engine = new CallQueue(all.concurrency, (call, closing) => answer(all, call, closing));
  const { status, stdout, stderr } = await engine.run({ ...DEFAULT_LIMITS, code: "print(1 + 1)", seed: "" });
  if (status === "ok" && stdout.trim() === "2") return engine;
  await engine.close();
  throw new UserError(
    `--tool-url ${options.url}: print(1 + 1) gave ${status} ${JSON.stringify((stdout + stderr).trim().slice(0, 200))}; ` +
      "expected a SandboxFusion service that answers POST /run_code; start it, or use --tool-engine wasi",
  );
}

function addressOf(text: string): string {
  const url = httpAddress(text, "--tool-url", "http://localhost:8080");
  if (!url.pathname.endsWith("/run_code")) url.pathname = `${url.pathname.replace(/\/+$/, "")}/run_code`;
  return url.href;
}

/** Asks the service, again while it fails for reasons of its own. */
async function answer(options: Required<HttpEngineOptions>, call: PythonCall, closing: AbortSignal): Promise<CallEnd> {
  const deadline = performance.now() + call.timeoutMs + options.graceMs;
  try {
    return await untilReady(
      () => request(options.url, call, deadline, closing),
      { ...options, deadline },
      (last) => last,
      closing,
    );
  } catch (error) {
    return closing.aborted ? CLOSED : { status: "crash", stderr: `the Python service failed: ${fetchReason(error)}\n` };
  }
}

async function request(url: string, call: PythonCall, deadline: number, closing: AbortSignal): Promise<CallEnd> {
  const requestId = crypto.randomUUID();
  const ownLimit = call.timeoutMs + COMPILE_SECONDS * 1000 + REQUEST_GRACE_MS;
  const limit = new RequestLimit(Math.min(ownLimit, deadline - performance.now()), closing);
  let response: Response;
  let body: string | undefined;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Request-ID": requestId },
      body: requestBody(call, requestId),
      redirect: "error",
      signal: limit.signal,
    });
    body = await textUpTo(response, longestResponse(call));
  } catch (error) {
    throw new NotReady(limit.isLate ? "no answer in time" : fetchReason(error));
  } finally {
    limit.end();
  }
  if (isTemporary(response.status)) throw new NotReady(`HTTP status ${response.status}`);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  if (body === undefined) return { status: "output_limit" };
  return resultOf(body, call, requestId);
}

/** The body; undefined when it has more bytes than allowed. */
async function textUpTo(response: Response, limit: number): Promise<string | undefined> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = "";
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    total += value.length;
    if (total > limit) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
