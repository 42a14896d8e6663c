/**
 * What every client of a server needs: a checked address, patience with a server that is not ready, the reason of a
 * failure.
 */
import { ExpectedError, reasonOf, UserError } from "./errors";

/** A server gave no usable answer in spite of all repetitions, or refuses. */
export class EndpointError extends ExpectedError {
  override readonly name: string = "EndpointError";
}

/** A request that may succeed when it is sent again. */
export class NotReady extends Error {
  /** What the server asks for; 0 when it says nothing. */
  readonly retryAfterMs: number;

  constructor(why: string, retryAfterMs = 0) {
    super(why);
    this.retryAfterMs = retryAfterMs;
  }
}

/** How often a server that is not ready is asked. */
export interface Patience {
  /** Requests at most, the first one included. */
  readonly tries: number;
  /** Before the second request; each further wait is twice as long, up to a minute. */
  readonly firstWaitMs: number;
  /** By `performance.now()`: what would wait until then or longer gives up instead. */
  readonly deadline?: number;
}

const LONGEST_WAIT_MS = 60_000;
/** A server that asks for more patience gets this much. */
const LONGEST_RETRY_AFTER_MS = 10 * 60_000;

/**
 * Does something again while it fails with {@link NotReady}, with exponential back-off, or later when the server asks
 * for it.
 *
 * @param giveUp the error to throw in place of the last {@link NotReady}
 * @throws anything else that `attempt` throws, at once, and the signal's reason
 */
export async function untilReady<Result>(
  attempt: () => Promise<Result>,
  { tries, firstWaitMs, deadline = Number.POSITIVE_INFINITY }: Patience,
  giveUp: (last: NotReady) => unknown,
  signal?: AbortSignal,
): Promise<Result> {
  for (let done = 1; ; done++)
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof NotReady)) throw error;
      if (done >= tries) throw giveUp(error);
      const backOff = Math.min(firstWaitMs * 2 ** (done - 1), LONGEST_WAIT_MS);
      const waitMs = Math.max(backOff, Math.min(error.retryAfterMs, LONGEST_RETRY_AFTER_MS));
      if (performance.now() + waitMs >= deadline) throw giveUp(error);
      await sleep(waitMs, signal);
    }
}

/** Whether the same request may get another answer: the server was busy or in trouble (RFC 9110, 15.5 and 15.6). */
export function isTemporary(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Milliseconds that a Retry-After asks for: seconds, or a date (RFC 9110, 10.2.3). 0 when it asks for nothing. */
export function retryAfter(header: string | null, now = Date.now()): number {
  if (header === null) return 0;
  if (/^\d+(\.\d+)?$/.test(header.trim())) return 1000 * Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

/**
 * An http or https address that the user named.
 *
 * @param option by which it was named: `--endpoint`
 * @param example of a good one
 * @param credentials what to do with a name or password, which an address must not hold; undefined where it may
 * @throws UserError
 */
export function httpAddress(text: string, option: string, example: string, credentials?: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new UserError(`${option} ${text}: not an address; expected one such as ${example}`);
  if (credentials !== undefined && (url.username !== "" || url.password !== ""))
    throw new UserError(`${option} at ${url.host}: holds a name or password; ${credentials}`);
  return url;
}

/** Why a request failed. An error of fetch only says that it did; its cause says why. */
export function fetchReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return (cause instanceof Error && cause.message) || reasonOf(error);
}

/** Is told how much of a body has come. @param total undefined when the server does not say */
export type LoadProgress = (done: number, total: number | undefined) => void;

/** Bytes of a body as it will be read; undefined when the server does not say, or packs it on the way. */
export function statedLength({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? undefined : Number(length);
}

/** Longest buffer that is made because a server says so. */
const LARGEST_AT_ONCE = 2 ** 30;

/** The whole body. */
export async function loadBody(
  response: Response,
  onProgress: LoadProgress = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const total = statedLength(response);
  let bytes = new Uint8Array(Math.min(total ?? 2 ** 16, LARGEST_AT_ONCE));
  let done = 0;
  onProgress(done, total);
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const part = await reader.read();
    if (part.done) break;
    const end = done + part.value.byteLength;
    if (end > bytes.byteLength) {
      const longer = new Uint8Array(Math.max(end, 2 * bytes.byteLength));
      longer.set(bytes.subarray(0, done));
      bytes = longer;
    }
    bytes.set(part.value, done);
    done = end;
    onProgress(done, total);
  }
  return done === bytes.byteLength ? bytes : bytes.slice(0, done);
}

/** A text in which a key or password does not show. */
export function redacted(text: string, secret: string | undefined): string {
  return secret === undefined ? text : text.replaceAll(secret, "[key]");
}

/** Ends a request that shows no sign of life for a while, that the caller gives up, or that is done. */
export class RequestLimit {
  readonly #stop = new AbortController();
  readonly #idleMs: number;
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLate = false;

  /** @param caller ends the request too */
  constructor(idleMs: number, caller?: AbortSignal) {
    this.#idleMs = idleMs;
    this.#caller = caller;
    if (caller?.aborted) this.#abort();
    else caller?.addEventListener("abort", this.#abort);
    this.alive();
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the request was ended for its silence. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** A sign of life: the time counts anew. */
  alive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#abort();
    }, this.#idleMs);
  }

  /** Ends what is still under way. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#abort);
    this.#abort();
  }

  readonly #abort = () => this.#stop.abort(this.#caller?.reason);
}

/** Resolves after `ms` milliseconds. @throws the signal's reason */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop);
  });
}
