/**
 * Requests to an OpenAI-compatible server: at a bounded rate, again when the server is not ready, and never with the
 * key in a message.
 */
import { UserError } from "../../base/errors";
import {
  EndpointError,
  fetchReason,
  httpAddress,
  isTemporary,
  NotReady,
  RequestLimit,
  redacted,
  retryAfter,
  sleep,
  untilReady,
} from "../../base/http";
import { GarbledAnswer, type Piece, pieces } from "./stream";

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

const FIRST_WAIT_MS = 1000;

export class EndpointClient {
  readonly #options: ClientOptions;
  readonly #key: string | undefined;
  readonly #url: string;
  /** When the next request may leave, on the clock of `performance.now`. */
  #nextStart = 0;

  /**
   * @param key is sent as a bearer token; none when undefined
   * @throws UserError for an address that is none
   */
  constructor(options: ClientOptions, key: string | undefined) {
    this.#options = options;
    this.#key = key;
    this.#url = addressOf(options.endpoint, options.endpointApi);
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
    const tries = this.#options.endpointRetries + 1;
    await untilReady(
      async () => {
        await this.#turn(signal);
        await this.#attempt(body, begin(), signal);
      },
      { tries, firstWaitMs: FIRST_WAIT_MS },
      ({ message }) =>
        new EndpointError(
          `${this.#url}: ${redacted(message, this.#key)}, ${tries} times; ` +
            "see to the server, then give the same command again",
        ),
      signal,
    );
  }

  async #attempt(
    body: Readonly<Record<string, unknown>>,
    take: (piece: Piece) => boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    const { endpointTimeout } = this.#options;
    const limit = new RequestLimit(endpointTimeout * 1000, signal);
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          ...(this.#key === undefined ? {} : { Authorization: `Bearer ${this.#key}` }),
        },
        body: JSON.stringify(body),
        // A key is for the address that the user named.
        redirect: "error",
        signal: limit.signal,
      });
      if (!response.ok) throw await this.#failure(response);
      for await (const piece of pieces(response)) {
        limit.alive();
        if (take(piece)) break;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (limit.isLate) throw new NotReady(`no sign of life for ${endpointTimeout} s`);
      if (error instanceof GarbledAnswer) throw new NotReady(`gave ${error.message}`);
      if (error instanceof TypeError) throw new NotReady(fetchReason(error));
      throw error;
    } finally {
      limit.end();
    }
  }

  /** What a status other than 200 means. */
  async #failure(response: Response): Promise<NotReady | UserError | RefusedRequest> {
    const { status } = response;
    const { endpoint, endpointKeyEnv } = this.#options;
    const said = redacted((await response.text()).replace(/\s+/g, " ").slice(0, 200), this.#key);
    const why = `HTTP status ${status}${said === "" ? "" : ` (${said})`}`;
    // Some servers say by 409 that another request holds what this one needs.
    if (isTemporary(status) || status === 409)
      return new NotReady(why, retryAfter(response.headers.get("retry-after")));
    if (status === 401 || status === 403)
      return new UserError(
        `--endpoint ${endpoint}: ${why}; put a valid key into the environment variable ${endpointKeyEnv}`,
      );
    if (status === 404)
      return new UserError(`--endpoint ${endpoint}: ${why}; check the address, --endpoint-model and --endpoint-api`);
    return new RefusedRequest(why);
  }

  /** Waits until the rate allows one more request. */
  async #turn(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const rate = this.#options.endpointRequestsPerMinute;
    if (rate === null) return;
    const now = performance.now();
    const start = Math.max(now, this.#nextStart);
    this.#nextStart = start + 60_000 / rate;
    if (start > now) await sleep(start - now, signal);
  }
}

/** Where completions are asked for. @throws UserError */
function addressOf(text: string, api: "completions" | "chat"): string {
  const url = httpAddress(
    text,
    "--endpoint",
    "http://localhost:8000/v1",
    "put the key into an environment variable and name it with --endpoint-key-env",
  );
  const ending = api === "chat" ? "/chat/completions" : "/completions";
  if (!url.pathname.endsWith(ending)) url.pathname = `${url.pathname.replace(/\/+$/, "")}${ending}`;
  return url.href;
}
