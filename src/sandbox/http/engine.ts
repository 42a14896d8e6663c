/** Python on a machine of the user's: an HTTP service that speaks SandboxFusion's protocol. */
import { checkCall } from "../check";
import { DEFAULT_LIMITS, type PythonCall, type PythonEngine, type PythonResult, type PythonStatus } from "../engine";
import { COMPILE_SECONDS, longestResponse, type RemoteResult, requestBody, resultOf, ServiceFailure } from "./protocol";

/** How the service is reached. */
export interface HttpEngineOptions {
  /** Address of the service, with or without `/run_code`. */
  url: string;
  /** Requests under way at once, over all callers; the others wait. */
  concurrency?: number;
  /** Requests per call at most, the first one included. */
  tries?: number;
  /** Wait before the second request; each further wait is twice as long, up to `longestWaitMs`. */
  firstWaitMs?: number;
  longestWaitMs?: number;
  /** Time for a call beyond its own limit, over all requests and waits, in milliseconds. */
  graceMs?: number;
}

/** Thrown when the service can't be used for a reason that the user can remove. */
export class HttpEngineError extends Error {
  override name = "UserError";
}

/** What ends a call besides an answer. */
type Failure = { status: PythonStatus; stderr: string };

interface Job {
  readonly call: PythonCall;
  readonly queuedAt: number;
  resolve(result: PythonResult): void;
}

const CLOSED: Failure = { status: "crash", stderr: "the Python engine was closed\n" };

/** Beyond the service's own limits, for the network and its queue. */
const REQUEST_GRACE_MS = 10_000;

const DEFAULTS = { concurrency: 32, tries: 3, firstWaitMs: 1000, longestWaitMs: 30_000, graceMs: 25_000 } as const;

/**
 * Opens the service and has it run one program.
 *
 * @throws HttpEngineError when the address is none or nothing answers there as the protocol says
 */
export async function createHttpEngine(options: HttpEngineOptions): Promise<PythonEngine> {
  const engine = new HttpEngine({ ...DEFAULTS, ...options, url: addressOf(options.url) });
  const { status, stdout, stderr } = await engine.run({ ...DEFAULT_LIMITS, code: "print(1 + 1)", seed: "" });
  if (status === "ok" && stdout.trim() === "2") return engine;
  await engine.close();
  throw new HttpEngineError(
    `--tool-url ${options.url}: print(1 + 1) gave ${status} ${JSON.stringify((stdout + stderr).trim().slice(0, 200))}; ` +
      "expected a SandboxFusion service that answers POST /run_code; start it, or use --tool-engine wasi",
  );
}

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new HttpEngineError(`--tool-url ${text}: not an address; expected one such as http://localhost:8080`);
  if (!url.pathname.endsWith("/run_code")) url.pathname = `${url.pathname.replace(/\/+$/, "")}/run_code`;
  return url.href;
}

/** One queue for all callers; a call's time starts when its first request is sent. */
class HttpEngine implements PythonEngine {
  readonly #options: Required<HttpEngineOptions>;
  readonly #queue: Job[] = [];
  /** Requests under way and waits between them, which `close` ends. */
  readonly #requests = new Set<AbortController>();
  #closed = false;
  #running = 0;

  constructor(options: Required<HttpEngineOptions>) {
    this.#options = options;
  }

  run(call: PythonCall): Promise<PythonResult> {
    return new Promise((resolve) => {
      // A throw in here rejects the promise.
      if (this.#closed) throw new Error("The Python engine is closed.");
      checkCall(call);
      this.#queue.push({ call, queuedAt: performance.now(), resolve });
      this.#dispatch();
    });
  }

  waiting(): { running: number; queued: number } {
    return { running: this.#running, queued: this.#queue.length };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.splice(0))
      job.resolve({ ...CLOSED, stdout: "", ms: 0, queueMs: performance.now() - job.queuedAt, truncated: false });
    for (const request of this.#requests) request.abort();
  }

  #dispatch(): void {
    while (this.#running < this.#options.concurrency) {
      const job = this.#queue.shift();
      if (job === undefined) return;
      this.#running++;
      void this.#answer(job).finally(() => {
        this.#running--;
        this.#dispatch();
      });
    }
  }

  async #answer({ call, queuedAt, resolve }: Job): Promise<void> {
    const began = performance.now();
    const queueMs = began - queuedAt;
    const settle = (result: Failure | RemoteResult) =>
      resolve({ stdout: "", truncated: false, ...result, ms: performance.now() - began, queueMs });
    try {
      settle(await this.#tryAgain(call, began + call.timeoutMs + this.#options.graceMs));
    } catch (error) {
      settle({ status: "crash", stderr: `the Python service failed: ${reason(error)}\n` });
    }
  }

  async #tryAgain(call: PythonCall, deadline: number): Promise<RemoteResult | Failure> {
    const { tries, firstWaitMs, longestWaitMs } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#request(call, deadline);
      } catch (error) {
        if (this.#closed) return CLOSED;
        const wait = Math.min(firstWaitMs * 2 ** (attempt - 1), longestWaitMs);
        // Anything but a failure of the service would fail in the same way again.
        if (!(error instanceof ServiceFailure) || attempt >= tries || performance.now() + wait >= deadline) throw error;
        await this.#pause(wait);
        if (this.#closed) return CLOSED;
      }
    }
  }

  async #request(call: PythonCall, deadline: number): Promise<RemoteResult | Failure> {
    const requestId = crypto.randomUUID();
    const ownLimit = call.timeoutMs + COMPILE_SECONDS * 1000 + REQUEST_GRACE_MS;
    const stop = new AbortController();
    let late = false;
    const timer = setTimeout(
      () => {
        late = true;
        stop.abort();
      },
      Math.min(ownLimit, deadline - performance.now()),
    );
    this.#requests.add(stop);
    let response: Response;
    let body: string | undefined;
    try {
      response = await fetch(this.#options.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Request-ID": requestId },
        body: requestBody(call, requestId),
        redirect: "error",
        signal: stop.signal,
      });
      body = await textUpTo(response, longestResponse(call));
    } catch (error) {
      throw new ServiceFailure(late ? "no answer in time" : reason(error));
    } finally {
      clearTimeout(timer);
      this.#requests.delete(stop);
    }
    if (response.status >= 500 || response.status === 429 || response.status === 408)
      throw new ServiceFailure(`HTTP status ${response.status}`);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    if (body === undefined) return { status: "output_limit", stderr: "" };
    return resultOf(body, call, requestId);
  }

  /** Waits, but no longer than until `close`. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = new AbortController();
      const done = () => {
        clearTimeout(timer);
        this.#requests.delete(stop);
        resolve();
      };
      const timer = setTimeout(done, ms);
      stop.signal.addEventListener("abort", done);
      this.#requests.add(stop);
    });
  }
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

/** The message of an error; of fetch's, which only say that they failed, that of their cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
