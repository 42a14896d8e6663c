/** MLflow's REST API: requests with a limit of time, again when the server is not ready, and never with the password in a message. */
import type * as z from "zod";
import { UserError } from "../../base/errors";
import { EndpointError, reason, retryAfter, sleep } from "../../eval/endpoint/client";

/** How long, and how often, a server that is not ready is asked. */
export interface Patience {
  /** Of one request, in milliseconds. */
  readonly timeout: number;
  readonly tries: number;
  /** Milliseconds before the second try; each wait is twice the one before. */
  readonly firstWait: number;
}

const PATIENCE: Patience = { timeout: 30_000, tries: 6, firstWait: 1000 };
const LONGEST_WAIT = 60_000;
/** Characters of a server's own words in a message. */
const LONGEST_WORDS = 300;

/** The server understood the request and will not do it. */
export class MlflowRefusal extends EndpointError {
  /** MLflow's error code, such as RESOURCE_DOES_NOT_EXIST; empty when it gave none. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Asked again, the server may do better. */
class NotReady extends Error {
  readonly retryAfter: number;

  constructor(message: string, retryAfterMs = 0) {
    super(message);
    this.retryAfter = retryAfterMs;
  }
}

export class MlflowClient {
  /** The server's address, without a slash at its end. */
  readonly address: string;
  private readonly authorization: string | undefined;
  private readonly patience: Patience;

  /**
   * @param trackingUri http or https address of the tracking server
   * @param env MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, when the server wants them
   * @throws UserError for an address that is none
   */
  constructor(trackingUri: string, env: Readonly<Record<string, string | undefined>>, patience: Patience = PATIENCE) {
    this.address = addressOf(trackingUri);
    this.authorization = authorizationOf(env);
    this.patience = patience;
  }

  /** Sends a request until it is answered. @throws MlflowRefusal, EndpointError, UserError (access) */
  send<Answer>(answer: z.ZodType<Answer>, method: "GET" | "POST", path: string, fields: object): Promise<Answer> {
    return this.untilReady(() => this.sendOnce(answer, method, path, fields));
  }

  /** Does something again until no request in it finds the server not ready. */
  async untilReady<Result>(attempt: () => Promise<Result>): Promise<Result> {
    const { tries, firstWait } = this.patience;
    for (let done = 1; ; done++)
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof NotReady)) throw error;
        if (done >= tries)
          throw new EndpointError(
            `MLflow at ${this.address}: ${error.message}, ${tries} times; see to the server, then give the same command again, which goes on where this one stopped`,
          );
        await sleep(Math.min(Math.max(error.retryAfter, firstWait * 2 ** (done - 1)), LONGEST_WAIT));
      }
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
          ...(this.authorization === undefined ? {} : { Authorization: this.authorization }),
        },
        ...(method === "POST" ? { body: JSON.stringify(fields) } : {}),
        // A password is for the address that the user named.
        redirect: "manual",
        signal: AbortSignal.timeout(this.patience.timeout),
      });
      text = await response.text();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const isLate = error.name === "TimeoutError";
      throw new NotReady(
        `${path}: ${isLate ? `no answer within ${this.patience.timeout / 1000} s` : `no connection (${reason(error)})`}`,
      );
    }
    if (!response.ok) throw this.failure(path, response, text);
    const parsed = answer.safeParse(parsedJson(text));
    if (!parsed.success)
      throw new EndpointError(
        `MLflow at ${this.address}: the answer to ${path} is not MLflow's; check that --tracking-uri is the address of a tracking server`,
      );
    return parsed.data;
  }

  private failure(path: string, { status, headers }: Response, text: string): Error {
    const said = parsedJson(text);
    const field = (name: string) => {
      const value: unknown = typeof said === "object" && said !== null ? Reflect.get(said, name) : undefined;
      return typeof value === "string" ? value : "";
    };
    const code = field("error_code");
    const words = (field("message") || text).replace(/\s+/g, " ").trim().slice(0, LONGEST_WORDS);
    const why = `${path}: HTTP status ${status}${code === "" ? "" : ` ${code}`}${words === "" ? "" : ` (${this.redacted(words)})`}`;
    if (status === 408 || status === 429 || status >= 500)
      return new NotReady(why, retryAfter(headers.get("retry-after")));
    if (status === 401 || status === 403)
      return new UserError(
        `MLflow at ${this.address}: ${why}; set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, for this server`,
      );
    if (code === "")
      return new UserError(
        `MLflow at ${this.address}: ${why}; check that --tracking-uri is the address of a tracking server`,
      );
    return new MlflowRefusal(code, `MLflow at ${this.address} refused ${why}`);
  }

  private redacted(text: string): string {
    const secret = this.authorization?.replace(/^\w+ /, "");
    return secret === undefined ? text : text.replaceAll(secret, "[key]");
  }
}

/** @throws UserError */
function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new UserError(`--tracking-uri ${text}: not an address; expected one such as http://localhost:5000`);
  if (url.username !== "" || url.password !== "")
    throw new UserError(
      `--tracking-uri at ${url.host}: holds a name or password; put them into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD`,
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
