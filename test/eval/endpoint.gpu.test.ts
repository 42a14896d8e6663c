/** Evaluation over HTTP against real servers on this machine: good ones, slow ones, broken ones. */
import * as fs from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { runEvaluation } from "../../src/eval/evaluate";
import { targetPlans } from "../../src/eval/target-plans";
import { evalOptions } from "../../src/options/evaluate";
import { nodeRunFiles } from "../../src/platform/node/run-files";
import { prepare, tinyHost } from "../train/tiny-run";

const KEY = "sk-very-secret-0123456789";

interface Asked {
  readonly model: string;
  readonly prompt?: string;
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
  readonly max_tokens: number;
  readonly temperature: number;
  readonly seed: number;
}

type Handler = (asked: Asked, response: ServerResponse, request: IncomingMessage, count: number) => unknown;

let root: string;
let servers: Server[] = [];
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-endpoint-"));
  await prepare(root);
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  servers = [];
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

async function serve(handler: Handler): Promise<string> {
  let count = 0;
  const server = createServer(async (request, response) => {
    const asked: Asked = JSON.parse(await text(request));
    await handler(asked, response, request, ++count);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

/** Streams a text in pieces of three characters, as completions and as chat at once. */
function stream(response: ServerResponse, content: string, reason: string | null = "stop"): void {
  response.setHeader("Content-Type", "text/event-stream; charset=utf-8");
  const send = (choice: object) => response.write(`data: ${JSON.stringify({ choices: [choice] })}\n\n`);
  response.write(": a comment\n\n");
  for (let at = 0; at < content.length; at += 3) {
    const piece = content.slice(at, at + 3);
    send({ text: piece, delta: { content: piece }, finish_reason: null });
  }
  if (reason !== null) send({ text: "", delta: {}, finish_reason: reason });
  response.end(reason === null ? "" : "data: [DONE]\n\n");
}

/** A model that computes 1+1 in Python and boxes what it is told; goes on about it, as no observation stops it. */
function calculator({ prompt, messages }: Asked): string {
  const said = prompt ?? messages?.map(({ content }) => content).join("") ?? "";
  const output = /```output\n(.*)\n```/.exec(said)?.[1];
  return output === undefined
    ? "Let me see.\n```python\nprint(1+1)\n```\n```output\n99\n```\n\\boxed{99}"
    : ` So \\boxed{${output}}`;
}

let folders = 0;

async function evaluate(
  endpoint: string,
  values: Record<string, unknown> = {},
  folder = join(root, `out${++folders}`),
) {
  const options = evalOptions.resolve([
    {
      source: "the test",
      spelling: "file",
      values: {
        endpoint,
        endpointModel: "remote",
        dataset: join(root, "questions.jsonl"),
        evalSamples: 3,
        numGenerations: 2,
        maxToolCalls: 1,
        endpointConcurrency: 2,
        ...values,
      },
    },
  ]);
  const host = await tinyHost();
  const report = await runEvaluation(
    options,
    await targetPlans(options, host, async (name) => name, KEY),
    host,
    nodeRunFiles(folder),
    evalOptions.toFile(options),
    { onProgress: () => {} },
  );
  const samples = (await fs.readFile(join(folder, "samples.jsonl"), "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return { ...report, samples, folder };
}

/** One first wait is a second: tests that need it are few. */
const refused = async (work: Promise<unknown>): Promise<Error> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error("it was not refused");
  expect(error.message).not.toContain(KEY);
  return error;
};

describe("the tool loop", () => {
  test("completions: stops at the fence, runs the code, goes on in the same text", async () => {
    const prompts: string[] = [];
    const url = await serve((asked, response, request) => {
      expect([request.method, request.url]).toEqual(["POST", "/v1/completions"]);
      expect(request.headers.authorization).toBe(`Bearer ${KEY}`);
      expect(asked).toMatchObject({ model: "remote", temperature: 1, stream: true });
      prompts.push(asked.prompt ?? "");
      stream(response, calculator(asked));
    });
    const { cells, samples } = await evaluate(url);
    expect(cells[0]?.figures).toMatchObject({ right: 6, callsPerAnswer: 1, codeRatio: { value: 1 } });
    expect(samples[0]).toMatchObject({
      model: "remote",
      prediction: "2",
      correct: true,
      finish_reason: "stop",
      segments: [
        { kind: "text", text: "Let me see.\n```python" },
        { kind: "code", text: "\nprint(1+1)\n```" },
        { kind: "observation", text: "\n```output\n2\n```\n\n\n" },
        { kind: "text", text: " So \\boxed{2}" },
      ],
      tools: [{ code: "print(1+1)", status: "ok", stdout: "2\n" }],
    });
    // What the model had made up behind its fence was never part of the text.
    expect(prompts.filter((prompt) => prompt.includes("99"))).toEqual([]);
    expect(prompts.filter((prompt) => prompt.endsWith("print(1+1)\n```\n```output\n2\n```\n\n\n"))).toHaveLength(6);
  });

  test("chat: outputs are messages of the user", async () => {
    const url = await serve((asked, response, request) => {
      expect(request.url).toBe("/v1/chat/completions");
      expect(asked.messages?.map(({ role }) => role)).toEqual(
        (asked.messages?.length ?? 0) > 1 ? ["user", "assistant", "user"] : ["user"],
      );
      stream(response, calculator(asked));
    });
    expect((await evaluate(url, { endpointApi: "chat" })).cells[0]?.figures?.right).toBe(6);
  });

  test("a server that does not stream gives the same samples", async () => {
    const streamed = await evaluate(await serve((asked, response) => stream(response, calculator(asked))));
    const whole = await evaluate(
      await serve((asked, response) => {
        response.setHeader("Content-Type", "application/json");
        response.end(JSON.stringify({ choices: [{ text: calculator(asked), finish_reason: "stop" }] }));
      }),
    );
    const without = ({ samples }: typeof whole) => samples.map(({ model_tokens: _, ...rest }) => rest);
    expect(without(whole)).toEqual(without(streamed));
  });

  test("N_max 0: fences mean nothing", async () => {
    const url = await serve((asked, response) => stream(response, calculator(asked)));
    const { samples } = await evaluate(url, { maxToolCalls: 0 });
    expect(samples[0]).toMatchObject({ prediction: "99", correct: false, tools: [] });
  });

  test("the budget and characters of several units hold across requests", async () => {
    const limits: number[] = [];
    const url = await serve((asked, response) => {
      limits.push(asked.max_tokens);
      const first = !asked.prompt?.includes("```output");
      stream(response, first ? "😀 π\n```python\nprint(1+1)\n```" : "😀 more and more", first ? "stop" : "length");
    });
    const { samples } = await evaluate(url, { evalSamples: 1, numGenerations: 1, maxCompletionLength: 40 });
    expect(samples[0]).toMatchObject({ finish_reason: "length", correct: false });
    expect(samples[0]?.segments.map(({ text: part }: { text: string }) => part).join("")).toContain("😀 more and more");
    expect(limits[0]).toBe(40);
    expect(limits[1]).toBeLessThan(34);
    expect(limits[1]).toBeGreaterThan(10);
  });

  test("beside a checkpoint in one call", async () => {
    const url = await serve((asked, response) => stream(response, calculator(asked)));
    const { cells } = await evaluate(url, {
      modelNameOrPath: join(root, "model"),
      promptTemplate: "nano",
      maxPromptLength: 16,
      maxCompletionLength: 32,
      maxToolResponseTokens: 16,
    });
    expect(cells.map(({ label }) => label)).toEqual(["model", "remote"]);
  });
});

describe("a server that is not well", () => {
  const one = { evalSamples: 1, numGenerations: 1 };

  test("429 and 500 are asked again", async () => {
    let asked = 0;
    const url = await serve((_, response, _request, count) => {
      asked = count;
      if (count > 2) return stream(response, "\\boxed{2}");
      return response.writeHead(count === 1 ? 429 : 500).end("not now");
    });
    expect((await evaluate(url, one)).cells[0]?.figures?.right).toBe(1);
    expect(asked).toBe(3);
  });

  test.each<[string, Handler, RegExp]>([
    ["stalls before it answers", () => {}, /no sign of life for 0\.2 s, 2 times/],
    [
      "stalls in the middle",
      (_, response) => {
        response.setHeader("Content-Type", "text/event-stream");
        response.write('data: {"choices":[{"text":"a","finish_reason":null}]}\n\n');
      },
      /no sign of life/,
    ],
    ["breaks off", (_, response) => stream(response, "\\boxed{2}", null), /gave a stream that breaks off, 2 times/],
    ["resets the connection", (_, __, request) => request.socket.destroy(), /, 2 times; see to the server/],
    ["gives a page", (_, response) => response.end("<html>"), /gave an answer that is no JSON: "<html>"/],
    ["gives other JSON", (_, response) => response.end('{"a": 1}'), /gave an answer without choices/],
    [
      "gives an error in a stream",
      (_, response) => {
        response.setHeader("Content-Type", "text/event-stream");
        response.end(`data: {"error": {"message": "bad key ${KEY}"}}\n\n`);
      },
      /gave an error: bad key \[key\]/,
    ],
    [
      "says the key",
      (_, response) => {
        response.statusCode = 503;
        response.end(`busy with ${KEY}`);
      },
      /HTTP status 503 \(busy with \[key\]\), 2 times/,
    ],
  ])("that %s: asked once more, then given up with a sentence", async (what, handler, message) => {
    // A machine that is busy with other things may need long for what is answered.
    const endpointTimeout = what.startsWith("stalls") ? 0.2 : 60;
    let count = 0;
    const url = await serve((...asked) => {
      count++;
      return handler(...asked);
    });
    const error = await refused(evaluate(url, { ...one, endpointTimeout, endpointRetries: 1 }));
    expect(error).toMatchObject({ name: "EndpointError", message: expect.stringMatching(message) });
    expect(count).toBe(2);
  });

  test("a wrong key, a wrong address and a request that is never accepted are the user's to repair, at once", async () => {
    const status = (code: number) =>
      serve((_, response) => {
        response.statusCode = code;
        response.end("no");
      });
    for (const [code, message] of [
      [401, /HTTP status 401 \(no\); put a valid key into the environment variable OPENAI_API_KEY/],
      [404, /HTTP status 404 \(no\); check the address/],
      [400, /HTTP status 400 \(no\); the server takes no such request/],
    ] as const)
      expect(await refused(evaluate(await status(code), one))).toMatchObject({
        name: "UserError",
        message: expect.stringMatching(message),
      });
    expect(await refused(evaluate("localhost:1", one))).toMatchObject({
      message: expect.stringMatching(/not an address/),
    });
    expect(await refused(evaluate("http://me:secret@x/v1", one))).toMatchObject({
      message: expect.not.stringContaining("secret"),
    });
  });

  test("a redirect is not followed: the key is for one address", async () => {
    let reached = 0;
    const other = await serve(() => void reached++);
    const url = await serve((_, response) => response.writeHead(307, { Location: other }).end());
    await refused(evaluate(url, { ...one, endpointRetries: 0 }));
    expect(reached).toBe(0);
  });

  test("a context that has become too long ends the answer, not the evaluation", async () => {
    const url = await serve((asked, response) => {
      if (!asked.prompt?.includes("```output")) return stream(response, calculator(asked));
      response.statusCode = 400;
      return response.end("maximum context length");
    });
    const { samples } = await evaluate(url, one);
    expect(samples[0]).toMatchObject({ finish_reason: "length", correct: false, tools: [{ status: "ok" }] });
  });

  test("a stream without end is cut", async () => {
    const url = await serve((_, response) => {
      response.setHeader("Content-Type", "text/event-stream");
      const piece = `data: ${JSON.stringify({ choices: [{ text: "word ".repeat(20), finish_reason: null }] })}\n\n`;
      const timer = setInterval(() => response.write(piece.repeat(50)), 1);
      response.on("close", () => clearInterval(timer));
    });
    const { samples } = await evaluate(url, { ...one, maxCompletionLength: 20 });
    expect(samples[0]).toMatchObject({ finish_reason: "length" });
  });

  test("what was answered before it failed is not asked again", async () => {
    const folder = join(root, "goes on");
    const values = { endpointConcurrency: 1, endpointRetries: 0, evalSamples: 6 };
    let broken = true;
    const seeds: number[] = [];
    const url = await serve((asked, response, _request, count) => {
      if (broken && count > 7) return response.writeHead(500).end();
      seeds.push(asked.seed);
      return stream(response, "\\boxed{2}");
    });
    await refused(evaluate(url, values, folder));
    expect(seeds).toHaveLength(7);
    broken = false;
    const report = await evaluate(url, values, folder);
    expect(report).toMatchObject({ finished: true, resumed: 7 });
    expect(seeds).toHaveLength(12);
    expect(new Set(seeds).size).toBe(12);
    for (const name of await fs.readdir(folder))
      expect(await fs.readFile(join(folder, name), "utf8")).not.toContain(KEY);
  });
});

test("samples of other seeds are other samples", async () => {
  const seeds: number[] = [];
  const url = await serve((asked, response) => {
    seeds.push(asked.seed);
    stream(response, "\\boxed{2}");
  });
  for (const seed of [1, 2, 3]) await evaluate(url, { seed, evalSamples: 3, numGenerations: 4 });
  expect(seeds).toHaveLength(36);
  expect(new Set(seeds).size).toBe(36);
});

describe("limits", () => {
  test("no more answers under way than --endpoint-concurrency", async () => {
    let now = 0;
    let most = 0;
    const url = await serve(async (_, response) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now--;
      stream(response, "\\boxed{2}");
    });
    await evaluate(url, { evalSamples: 12, endpointConcurrency: 3 });
    expect(most).toBe(3);
  });
});
