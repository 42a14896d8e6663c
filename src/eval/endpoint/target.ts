/** A model behind an OpenAI-compatible address as the target of an evaluation, with the tool loop of the rollouts. */
import { UserError } from "../../base/errors";
import { mix32 } from "../../base/random";
import type { RewardPool } from "../../reward/pool";
import type { TokenizerView } from "../../rollout/tokenizer";
import type { FinishReason, ToolRecord } from "../../rollout/trajectory";
import { type TurnEvent, TurnMachine } from "../../rollout/turns";
import { observe, runPython, withDeadline } from "../../rollout/world";
import type { PythonEngine } from "../../sandbox/engine";
import { observationPolicy, preparedFor } from "../../sandbox/policies";
import { MAX_OUTPUT_BYTES } from "../../session/collect";
import type { TrainingHost } from "../../session/host";
import { promptFrame } from "../../session/prompt-frame";
import type { PromptTemplate } from "../../text/templates";
import type { Answer } from "../answers";
import type { SessionOptions } from "../session";
import type { AnswerSettings, Asked, Target } from "../target";
import { type ClientOptions, EndpointClient, RefusedRequest } from "./client";
import type { Piece } from "./stream";

export type EndpointOptions = Omit<SessionOptions, "modelNameOrPath"> &
  ClientOptions & { readonly model: string; readonly endpointConcurrency: number };

/** No code unit has this number. */
const END_OF_TEXT = 0x10000;
/** Most arguments of one call of String.fromCharCode. */
const MOST_ARGUMENTS = 8192;

/** Text as if each UTF-16 code unit were a token, for the turn machine of the rollouts. */
const CHARACTERS: TokenizerView = {
  eosId: END_OF_TEXT,
  encodePlain: (text) => Uint32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)),
  decode(ids) {
    const units = ids.filter((id) => id !== END_OF_TEXT);
    let text = "";
    for (let from = 0; from < units.length; from += MOST_ARGUMENTS)
      text += String.fromCharCode(...units.subarray(from, from + MOST_ARGUMENTS));
    return text;
  },
};

/** Where the server says nothing of tokens, that many characters count as one. */
const CHARACTERS_PER_TOKEN = 4;
/** A text with more characters per token that was allowed has no end of its own. */
const MOST_CHARACTERS_PER_TOKEN = 64;

/**
 * Text is scanned character by character by the same `TurnMachine` as sampled tokens; at a closing fence the request is
 * ended, the code run, and a new request made with the observation in its text. Tokens are counted as pieces of the
 * stream, or by characters where that gives more.
 */
export async function openEndpointTarget(
  options: EndpointOptions,
  host: Pick<TrainingHost, "openPython" | "openRewards">,
  key: string | undefined,
): Promise<Target> {
  const template = promptFrame(options, undefined);
  const client = new EndpointClient(options, key);
  const engine = await host.openPython(options);
  const rewards = await host.openRewards(options);
  return {
    check: () => {},
    async close() {
      await Promise.allSettled([engine.close(), rewards.close()]);
    },
    async answer(asked, settings) {
      const jobs = asked.flatMap((each) => each.samples.map((sample) => ({ each, sample })));
      let failed = false;
      const worker = async () => {
        for (let job = jobs.shift(); job !== undefined && !failed; job = jobs.shift())
          try {
            await answerOne(job.each, job.sample, settings, { options, template, client, engine, rewards });
          } catch (error) {
            failed = true;
            throw error;
          }
      };
      // All are waited for, so that no answer comes after the target was closed.
      const ends = await Promise.allSettled(Array.from({ length: options.endpointConcurrency }, worker));
      const failure = ends.find((end) => end.status === "rejected");
      if (failure !== undefined) throw failure.reason;
    },
  };
}

interface Parts {
  readonly options: EndpointOptions;
  readonly template: PromptTemplate;
  readonly client: EndpointClient;
  readonly engine: PythonEngine;
  readonly rewards: RewardPool;
}

/** A stretch of the conversation after the prompt. */
export interface Said {
  readonly by: "model" | "tool";
  readonly text: string;
}

async function answerOne(
  { question, row }: Asked,
  sample: number,
  { maxToolCalls, generations, signal, onAnswer }: AnswerSettings,
  { options, template, client, engine, rewards }: Parts,
): Promise<void> {
  const policy = observationPolicy(options.toolPolicy);
  const python = preparedFor(withDeadline(engine), policy);
  const prompt = template.frame(row.prompt);
  const id = question * generations + sample;
  const said: Said[] = [];
  const tools: ToolRecord[] = [];
  let modelTokens = 0;
  let observedTokens = 0;
  let turns = replay(said, template, maxToolCalls);
  let finishReason: FinishReason | undefined;
  while (finishReason === undefined) {
    const left = options.maxCompletionLength - modelTokens - observedTokens;
    // Hashed one by one: with their sum, runs of neighbouring seeds would share almost all their samples.
    const seed = mix32(mix32(mix32(options.seed) ^ id) + tools.length) >>> 1;
    const heard = await listen(client, requestBody(options, prompt, said, left, seed), signal, () =>
      replay(said, template, maxToolCalls),
    ).catch((error: unknown) => {
      // The first request was accepted: what has been added since makes this one too long.
      if (error instanceof RefusedRequest && said.length > 0) return undefined;
      throw error instanceof RefusedRequest ? refused(options, error) : error;
    });
    if (heard === undefined) {
      turns.push(END_OF_TEXT, 0);
      finishReason = "length";
      break;
    }
    turns = heard.turns;
    modelTokens += heard.tokens;
    said.push({ by: "model", text: heard.text });
    if (heard.event.kind === "finished") finishReason = heard.reason;
    if (heard.event.kind !== "execute") continue;
    const { code } = heard.event;
    const limits = {
      timeoutMs: options.toolTimeout * 1000,
      memoryMb: options.toolMemoryMb,
      maxOutputBytes: MAX_OUTPUT_BYTES,
    };
    const result = await runPython(
      python,
      { code, ...limits, seed: `${options.seed}/${id}/${tools.length}` },
      () => {},
    );
    const longest = policy.limitsTokens
      ? CHARACTERS_PER_TOKEN * options.maxToolResponseTokens
      : Number.MAX_SAFE_INTEGER;
    const observation = observe(result, policy.observe, CHARACTERS, longest);
    const tokens = Math.ceil(observation.text.length / CHARACTERS_PER_TOKEN);
    const fits = modelTokens + observedTokens + tokens < options.maxCompletionLength;
    const { status, stdout, stderr, ms, queueMs } = result;
    tools.push({ code, status, stdout, stderr, ms, queueMs, observation: fits ? observation.text : "" });
    turns.resume(fits ? observation.ids : new Uint32Array());
    if (fits) {
      observedTokens += tokens;
      said.push({ by: "tool", text: observation.text });
    } else {
      turns.push(END_OF_TEXT, 0);
      finishReason = "length";
    }
  }
  const { modelText, fullText, segments } = turns.result();
  const { numbers, prediction } = await rewards.grade({
    modelText,
    fullText,
    gold: row.answer,
    executions: tools.length,
    executionErrors: tools.filter(({ status }) => status !== "ok").length,
    lastExecutionFailed: (tools.at(-1)?.status ?? "ok") !== "ok",
    finishReason,
    modelTokens,
    totalTokens: modelTokens + observedTokens,
  });
  const answer: Answer = {
    segments: segments
      .map(({ kind, start, end }) => ({ kind, text: fullText.slice(start, end) }))
      .filter(({ text }) => text !== ""),
    tools,
    finishReason,
    modelTokens,
    prediction,
    numbers,
  };
  onAnswer(question, sample, prompt, answer);
}

interface Heard {
  readonly turns: TurnMachine;
  readonly event: TurnEvent;
  readonly reason: FinishReason;
  readonly text: string;
  readonly tokens: number;
}

/**
 * One request: the text up to the end of a program, of the answer, or of the budget. A repetition begins with a machine
 * of its own.
 */
async function listen(
  client: EndpointClient,
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
  machine: () => TurnMachine,
): Promise<Heard> {
  let turns = machine();
  let event: TurnEvent = { kind: "continue" };
  let reason: FinishReason = "stop";
  let text = "";
  let count = 0;
  const longest = MOST_CHARACTERS_PER_TOKEN * Number(body.max_tokens);
  await client.complete(
    body,
    () => {
      turns = machine();
      event = { kind: "continue" };
      reason = "stop";
      text = "";
      count = 0;
      return (piece: Piece) => {
        if ("finished" in piece) {
          reason = piece.finished;
          return true;
        }
        count++;
        for (let i = 0; i < piece.text.length && event.kind === "continue"; i++) {
          text += piece.text.charAt(i);
          event = turns.push(piece.text.charCodeAt(i), 0);
        }
        // A server that takes no notice of max_tokens.
        if (event.kind === "continue" && text.length >= longest) reason = "length";
        return event.kind !== "continue" || text.length >= longest;
      };
    },
    signal,
  );
  const tokens = Math.max(count, Math.ceil(text.length / CHARACTERS_PER_TOKEN));
  if (event.kind === "continue") event = turns.push(END_OF_TEXT, 0);
  else reason = "stop";
  return { turns, event, reason, text, tokens };
}

/** A machine that has read all that was said so far. */
function replay(said: readonly Said[], { stopStrings }: PromptTemplate, maxToolCalls: number): TurnMachine {
  const turns = new TurnMachine(CHARACTERS, {
    stopStrings,
    maxToolCalls,
    // The budget is one of the server's tokens, and counted beside.
    maxCompletionLength: Number.MAX_SAFE_INTEGER,
  });
  for (const { by, text } of said) {
    const ids = CHARACTERS.encodePlain(text);
    if (by === "tool") turns.resume(ids);
    else for (const id of ids) turns.push(id, 0);
  }
  return turns;
}

/** The request for what comes next. */
export function requestBody(
  options: Pick<EndpointOptions, "model" | "endpointApi" | "greedy" | "temperature" | "topP" | "topK" | "minP">,
  prompt: string,
  said: readonly Said[],
  maxTokens: number,
  seed: number,
): Readonly<Record<string, unknown>> {
  const text =
    options.endpointApi === "chat"
      ? {
          messages: [
            { role: "user", content: prompt },
            ...said.map(({ by, text: content }) => ({ role: by === "model" ? "assistant" : "user", content })),
          ],
        }
      : { prompt: prompt + said.map((each) => each.text).join("") };
  return {
    model: options.model,
    ...text,
    max_tokens: Math.max(1, maxTokens),
    temperature: options.greedy ? 0 : options.temperature,
    top_p: options.greedy ? 1 : options.topP,
    // Not in the protocol, though many servers know them: sent only when they differ from no limit.
    ...(options.topK === 0 ? {} : { top_k: options.topK }),
    ...(options.minP === 0 ? {} : { min_p: options.minP }),
    seed,
    stream: true,
  };
}

function refused(options: EndpointOptions, error: RefusedRequest): UserError {
  return new UserError(
    `--endpoint ${options.endpoint}: ${error.message}; ` +
      "the server takes no such request, see its message and --endpoint-api",
  );
}
