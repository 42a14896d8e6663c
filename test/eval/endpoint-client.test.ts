/** Requests to an endpoint one by one: when they leave, and what their answers say. */
import { describe, expect, test, vi } from "vitest";
import { EndpointClient } from "../../src/eval/endpoint/client";
import { type Piece, pieces } from "../../src/eval/endpoint/stream";

const CLIENT = {
  endpoint: "http://localhost:8000/v1",
  endpointApi: "completions",
  endpointKeyEnv: "OPENAI_API_KEY",
  endpointRequestsPerMinute: null,
  endpointTimeout: 60,
  endpointRetries: 5,
} as const;

describe("the client asks", () => {
  test("no more requests than --endpoint-requests-per-minute", async () => {
    vi.useFakeTimers();
    try {
      const at: number[] = [];
      vi.stubGlobal("fetch", async () => {
        at.push(Date.now());
        return Response.json({ choices: [{ text: "a", finish_reason: "stop" }] });
      });
      const began = Date.now();
      const client = new EndpointClient({ ...CLIENT, endpointRequestsPerMinute: 1200 }, undefined);
      const all = Promise.all(Array.from({ length: 5 }, () => client.complete({}, () => () => false)));
      await vi.advanceTimersByTimeAsync(1000);
      await all;
      expect(at.map((time) => time - began)).toEqual([0, 50, 100, 150, 200]);
    } finally {
      vi.useRealTimers();
      vi.unstubAllGlobals();
    }
  });

  test("as long as a Retry-After says, and no shorter than the back-off", async () => {
    vi.useFakeTimers();
    try {
      const at: number[] = [];
      vi.stubGlobal("fetch", async () => {
        at.push(Date.now());
        return at.length < 3
          ? new Response("", { status: 429, headers: { "Retry-After": at.length === 1 ? "7.5" : "0" } })
          : Response.json({ choices: [{ text: "a", finish_reason: "stop" }] });
      });
      const began = Date.now();
      const done = new EndpointClient(CLIENT, undefined).complete({}, () => () => false);
      await vi.advanceTimersByTimeAsync(20_000);
      await done;
      expect(at.map((time) => time - began)).toEqual([0, 7500, 9500]);
    } finally {
      vi.useRealTimers();
      vi.unstubAllGlobals();
    }
  });
});

describe("a stream of events", () => {
  const heard = async (...chunks: string[]): Promise<Piece[]> => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
    const response = new Response(body, { headers: { "Content-Type": "text/event-stream" } });
    const all: Piece[] = [];
    for await (const piece of pieces(response)) all.push(piece);
    return all;
  };
  const event = (words: string, reason: string | null = null) =>
    JSON.stringify({ choices: [{ text: words, finish_reason: reason }] });

  test("an event of several data lines is one", async () => {
    expect(await heard('data: {"choices":\ndata: [{"text": "a",\ndata:"finish_reason": "stop"}]}\n\n')).toEqual([
      { text: "a" },
      { finished: "stop" },
    ]);
  });

  test.each(["\n", "\r\n", "\r"])("lines may end with %j, in the middle of which a chunk may end", async (end) => {
    const whole = `: hello${end}event: x${end}id: 1${end}data: ${event("é")}${end}${end}data:${event("", "length")}${end}${end}`;
    const expected = [{ text: "é" }, { finished: "length" }];
    expect(await heard(whole)).toEqual(expected);
    expect(await heard(...whole)).toEqual(expected);
  });

  test("a last event without its empty line counts; an empty one does not", async () => {
    expect(await heard(`data:\n\ndata: ${event("a", "stop")}`)).toEqual([{ text: "a" }, { finished: "stop" }]);
  });

  test("an event without end is not kept", async () => {
    await expect(heard("data: ", ...Array.from({ length: 17 }, () => "x".repeat(2 ** 20)))).rejects.toThrow(
      "an event without end",
    );
  });
});
