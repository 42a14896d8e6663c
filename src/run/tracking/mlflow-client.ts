/**
 * MLflow's REST API: requests with a limit of time, again when the server is not ready, and never with the password in
 * a message.
 */
import type * as z from "zod";
import { UserError } from "../../base/errors";
import {
  EndpointError,
  fetchReason,
  httpAddress,
  isTemporary,
  NotReady,
  type Patience,
  redacted,
  retryAfter,
  untilReady,
} from "../../base/http";
import { isRecord } from "../../base/json";

/** How long, and how often, a server that is not ready is asked. */
export interface MlflowPatience extends Patience {
  /** Of one request. */
  readonly timeoutMs: number;
}

const PATIENCE: MlflowPatience = { timeoutMs: 30_000, tries: 6, firstWaitMs: 1000 };
/** Characters of a server's own words in a message. */
const LONGEST_WORDS = 300;

/** The server understood the request and will not do it. */
export class MlflowRefusal extends EndpointError {
  /** MLflow's error code, such as RESOURCE_DOES_NOT_EXIST. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export class MlflowClient {
  /** The server's address, without a slash at its end. */
  readonly address: string;
  readonly #authorization: string | undefined;
  readonly #patience: MlflowPatience;

  /**
   * @param trackingUri http or https address of the tracking server
   * @param env MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, when the server wants
   * them
   * @throws UserError for an address that is none
   */
  constructor(
    trackingUri: string,
    env: Readonly<Record<string, string | undefined>>,
    patience: MlflowPatience = PATIENCE,
  ) {
    this.address = addressOf(trackingUri);
    this.#authorization = authorizationOf(env);
    this.#patience = patience;
  }

  /** Sends a request until it is answered. @throws MlflowRefusal, EndpointError, UserError (access) */
  send<Answer>(answer: z.ZodType<Answer>, method: "GET" | "POST", path: string, fields: object): Promise<Answer> {
    return this.untilReady(() => this.sendOnce(answer, method, path, fields));
  }

  /** Does something again until no request in it finds the server not ready. */
  untilReady<Result>(attempt: () => Promise<Result>): Promise<Result> {
    return untilReady(
      attempt,
      this.#patience,
      ({ message }) =>
        new EndpointError(
          `MLflow at ${this.address}: ${message}, ${this.#patience.tries} times; ` +
            "see to the server, then give the same command again, which goes on where this one stopped",
        ),
    );
  }

  /** Sends a request once, for use within {@link untilReady}. */
  async sendOnce<Answer>(
    answer: z.ZodType<Answer>,
    method: "GET" | "POST",
    path: string,
    fields: object,
  ): Promise<Answer> {
    const url = new URL(`${this.address}/api/2.0/mlflow/${path}`);
    if (method === "GET") for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, String(value));
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers: {
          ...(method === "POST" ? { "Content-Type": "application/json" } : {}),
          ...(this.#authorization === undefined ? {} : { Authorization: this.#authorization }),
        },
        ...(method === "POST" ? { body: JSON.stringify(fields) } : {}),
        // A password is for the address that the user named.
        redirect: "manual",
        signal: AbortSignal.timeout(this.#patience.timeoutMs),
      });
      text = await response.text();
    } catch (error) {
      const isLate = error instanceof Error && error.name === "TimeoutError";
      const why = isLate
        ? `no answer within ${this.#patience.timeoutMs / 1000} s`
        : `no connection (${fetchReason(error)})`;
      throw new NotReady(`${path}: ${why}`);
    }
    if (!response.ok) throw this.#failure(path, response, text);
    const parsed = answer.safeParse(parsedJson(text));
    if (!parsed.success)
      throw new EndpointError(
        `MLflow at ${this.address}: the answer to ${path} is not MLflow's; ` +
          "check that --tracking-uri is the address of a tracking server",
      );
    return parsed.data;
  }

  #failure(path: string, { status, headers }: Response, text: string): Error {
    const said = parsedJson(text);
    const field = (name: string) => {
      const value = isRecord(said) ? said[name] : undefined;
      return typeof value === "string" ? value : "";
    };
    const code = field("error_code");
    const words = (field("message") || text).replace(/\s+/g, " ").trim().slice(0, LONGEST_WORDS);
    const shown = redacted(words, this.#authorization?.replace(/^\w+ /, ""));
    const why = `${path}: HTTP status ${status}${code === "" ? "" : ` ${code}`}${shown === "" ? "" : ` (${shown})`}`;
    if (isTemporary(status)) return new NotReady(why, retryAfter(headers.get("retry-after")));
    if (status === 401 || status === 403)
      return new UserError(
        `MLflow at ${this.address}: ${why}; set MLFLOW_TRACKING_TOKEN, ` +
          "or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, for this server",
      );
    if (code === "")
      return new UserError(
        `MLflow at ${this.address}: ${why}; check that --tracking-uri is the address of a tracking server`,
      );
    return new MlflowRefusal(code, `MLflow at ${this.address} refused ${why}`);
  }
}

/** @throws UserError */
function addressOf(text: string): string {
  const url = httpAddress(
    text,
    "--tracking-uri",
    "http://localhost:5000",
    "put them into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
  );
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function authorizationOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: name, MLFLOW_TRACKING_PASSWORD: password } = env;
  if (token !== undefined && token !== "") return `Bearer ${token}`;
  if (name === undefined || name === "") return undefined;
  return `Basic ${Buffer.from(`${name}:${password ?? ""}`).toString("base64")}`;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
