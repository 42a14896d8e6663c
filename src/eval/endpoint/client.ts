/** Requests to an OpenAI-compatible server: at a bounded rate, again when the server is not ready, and never with the key in a message. */
import { UserError } from "../../base/errors";
import { GarbledAnswer, type Piece, pieces } from "./stream";

/** The server did not answer in spite of all repetitions. What was sampled before stays. */
export class EndpointError extends Error {
  override name = "EndpointError";
}

/** The server will never accept this request, for example because its text is too long. */
export class RefusedRequest extends Error {
  override name = "RefusedRequest";
}

export interface ClientOptions {
  readonly endpoint: string;
  readonly endpointApi: "completions" | "chat";
  readonly endpointKeyEnv: string;
  readonly endpointRequestsPerMinute: number | null;
  /** Seconds. */
  readonly endpointTimeout: number;
  readonly endpointRetries: number;
}

/** Waits between repetitions, in milliseconds; each is twice the one before. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** A server that asks for more patience gets this much. */
const LONGEST_RETRY_AFTER_MS = 10 * 60_000;

export class EndpointClient {
  private readonly options: ClientOptions;
  private readonly key: string | undefined;
  private readonly url: string;
  private readonly firstWaitMs: number;
  /** When the next request may leave, on the clock of `performance.now`. */
  private nextStart = 0;

  /**
   * @param key is sent as a bearer token; none when undefined
   * @param firstWaitMs before the first repetition
   * @throws UserError for an address that is none
   */
  constructor(options: ClientOptions, key: string | undefined, firstWaitMs = FIRST_WAIT_MS) {
    this.options = options;
    this.key = key;
    this.url = addressOf(options.endpoint, options.endpointApi);
    this.firstWaitMs = firstWaitMs;
  }

  /**
   * The text that follows, up to where `take` has had enough.
   *
   * @param body of the request
   * @param begin makes what takes the pieces of one try; it returns true to stop
   * @throws EndpointError, RefusedRequest, UserError (key, address or model), or the signal's reason
   */
  async complete(
    body: Readonly<Record<string, unknown>>,
    begin: () => (piece: Piece) => boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    const { endpointRetries } = this.options;
    for (let attempt = 0; ; attempt++) {
      await this.turn(signal);
      const outcome = await this.attempt(body, begin(), signal);
      if (outcome === "done") return;
      if (attempt >= endpointRetries)
        throw new EndpointError(
          `${this.url}: ${this.redacted(outcome.why)}, ${attempt + 1} times; see to the server, then give the same command again`,
        );
      const backOff = Math.min(this.firstWaitMs * 2 ** attempt, LONGEST_WAIT_MS);
      await sleep(Math.min(Math.max(outcome.retryAfterMs ?? 0, backOff), LONGEST_RETRY_AFTER_MS), signal);
    }
  }

  private async attempt(
    body: Readonly<Record<string, unknown>>,
    take: (piece: Piece) => boolean,
    signal?: AbortSignal,
  ): Promise<"done" | { readonly why: string; readonly retryAfterMs?: number }> {
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal?.addEventListener("abort", abort);
    let late = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Counted anew with each sign of life.
    const patience = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        late = true;
        stop.abort();
      }, this.options.endpointTimeout * 1000);
    };
    try {
      patience();
      const response = await fetch(this.url, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          ...(this.key === undefined ? {} : { Authorization: `Bearer ${this.key}` }),
        },
        body: JSON.stringify(body),
        // A key is for the address that the user named.
        redirect: "error",
        signal: stop.signal,
      });
      if (!response.ok) return await this.failure(response);
      for await (const piece of pieces(response)) {
        patience();
        if (take(piece)) break;
      }
      return "done";
    } catch (error) {
      signal?.throwIfAborted();
      if (late) return { why: `no sign of life for ${this.options.endpointTimeout} s` };
      if (error instanceof GarbledAnswer) return { why: `gave ${error.message}` };
      if (error instanceof TypeError) return { why: reason(error) };
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      stop.abort();
    }
  }

  /** What a status other than 200 means. @throws when it would be the same the next time */
  private async failure(response: Response): Promise<{ readonly why: string; readonly retryAfterMs?: number }> {
    const { status } = response;
    const said = this.redacted((await response.text()).replace(/\s+/g, " ").slice(0, 200));
    const why = `HTTP status ${status}${said === "" ? "" : ` (${said})`}`;
    if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500) {
      const retryAfterMs = retryAfter(response.headers.get("retry-after"));
      return { why, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
    if (status === 401 || status === 403)
      throw new UserError(
        `--endpoint ${this.options.endpoint}: ${why}; put a valid key into the environment variable ${this.options.endpointKeyEnv}`,
      );
    if (status === 404)
      throw new UserError(
        `--endpoint ${this.options.endpoint}: ${why}; check the address, --endpoint-model and --endpoint-api`,
      );
    throw new RefusedRequest(why);
  }

  /** Waits until the rate allows one more request. */
  private async turn(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const rate = this.options.endpointRequestsPerMinute;
    if (rate === null) return;
    const now = performance.now();
    const start = Math.max(now, this.nextStart);
    this.nextStart = start + 60_000 / rate;
    if (start > now) await sleep(start - now, signal);
  }

  private redacted(text: string): string {
    return this.key === undefined ? text : text.replaceAll(this.key, "[key]");
  }
}

/** Milliseconds that a Retry-After asks for: seconds, or a date (RFC 9110, 10.2.3). */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(header.trim())) return 1000 * Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** @throws UserError */
function addressOf(text: string, api: "completions" | "chat"): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new UserError(`--endpoint ${text}: not an address; expected one such as http://localhost:8000/v1`);
  if (url.username !== "" || url.password !== "")
    throw new UserError(
      `--endpoint at ${url.host}: holds a name or password; put the key into an environment variable and name it with --endpoint-key-env`,
    );
  const ending = api === "chat" ? "/chat/completions" : "/completions";
  if (!url.pathname.endsWith(ending)) url.pathname = `${url.pathname.replace(/\/+$/, "")}${ending}`;
  return url.href;
}

/** The message of an error of fetch, which only says that it failed; that of its cause says why. */
export function reason(error: Error): string {
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
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
    signal?.addEventListener("abort", stop);
  });
}
