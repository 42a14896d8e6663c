/** What an OpenAI-compatible server answers, as pieces of text. */
import { createParser } from "eventsource-parser";
import { isRecord } from "../../base/json";

/** The answer is not what the protocol says; asked again, the server may do better. */
export class GarbledAnswer extends Error {
  override name = "GarbledAnswer";
}

/** A stretch of new text, or the end. */
export type Piece = { readonly text: string } | { readonly finished: "stop" | "length" };

/** No event of a stream and no whole answer is longer. */
const LONGEST = 16 * 2 ** 20;

/**
 * Reads a stream of events, or the one JSON object of a server that does not stream.
 * @throws GarbledAnswer when it is neither, or ends before the model did
 */
export async function* pieces(response: Response): AsyncGenerator<Piece> {
  if (response.body === null) throw new GarbledAnswer("an answer without content");
  if (!(response.headers.get("content-type") ?? "").includes("text/event-stream")) {
    let whole = "";
    for await (const text of texts(response.body)) {
      whole += text;
      if (whole.length > LONGEST) throw new GarbledAnswer("an answer without end");
    }
    const { text, reason } = choiceOf(whole);
    if (reason === undefined) throw new GarbledAnswer("an answer without finish_reason");
    yield { text };
    yield { finished: reason };
    return;
  }
  for await (const data of events(response.body)) {
    if (data.trim() === "[DONE]") throw new GarbledAnswer("a stream without finish_reason");
    const { text, reason } = choiceOf(data);
    if (text !== "") yield { text };
    if (reason !== undefined) {
      yield { finished: reason };
      return;
    }
  }
  throw new GarbledAnswer("a stream that breaks off");
}

/**
 * The data of each event (HTML standard, 9.2), also of a last one that the server did not finish with an empty line.
 */
async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const arrived: string[] = [];
  let isEndless = false;
  const parser = createParser({
    maxBufferSize: LONGEST,
    onEvent: ({ data }) => void (data === "" || arrived.push(data)),
    onError: ({ type }) => {
      isEndless ||= type === "max-buffer-size-exceeded";
    },
  });
  for await (const text of texts(body)) {
    parser.feed(text);
    yield* arrived.splice(0);
    if (isEndless) throw new GarbledAnswer("an event without end");
  }
  parser.feed("\n\n");
  yield* arrived;
}

async function* texts(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Text and ending in a completion, a chat completion, or a piece of one. */
function choiceOf(json: string): { text: string; reason: "stop" | "length" | undefined } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new GarbledAnswer(`an answer that is no JSON: ${JSON.stringify(json.slice(0, 80))}`);
  }
  const error = field(value, "error");
  if (error !== undefined && error !== null)
    throw new GarbledAnswer(`an error: ${String(field(error, "message") ?? JSON.stringify(error)).slice(0, 200)}`);
  const choices = field(value, "choices");
  if (!Array.isArray(choices)) throw new GarbledAnswer("an answer without choices");
  const choice: unknown = choices[0];
  // The last event of some servers holds the usage alone.
  if (choice === undefined) return { text: "", reason: undefined };
  const text =
    field(choice, "text") ?? field(field(choice, "delta"), "content") ?? field(field(choice, "message"), "content");
  const reason = field(choice, "finish_reason") ?? undefined;
  if (text !== undefined && text !== null && typeof text !== "string")
    throw new GarbledAnswer("an answer whose text is none");
  return { text: text ?? "", reason: reason === undefined ? undefined : reason === "length" ? "length" : "stop" };
}

function field(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}
