/** A line of a rollouts file as the page's rollout. */
import * as z from "zod";
import type { Rollout } from "../../report/html/run-data";
import type { Tokenizer } from "../../text/tokenizer";

const number = z.number().nullable().optional();

const schema = z.object({
  step: z.number(),
  id: z.number(),
  group: z.number(),
  sample: z.number(),
  prompt: z.string().optional(),
  text: z.string(),
  finish_reason: z.string(),
  reward: number,
  advantage: number,
  tools: z.array(z.object({ status: z.string(), stderr: z.string().optional() })),
  segments: z.array(z.object({ kind: z.enum(["text", "code", "observation"]), start: z.number(), end: z.number() })),
  ids: z.array(z.number()),
  mask: z.array(z.number()),
  logprobs: z.array(z.number()),
  time: z.object({ tools: z.array(z.object({ ms: number, queue_ms: number })) }).optional(),
});

/** Characters of standard error that are kept. */
const LONGEST_STDERR = 2000;

/** @returns undefined when the line is no rollout */
export function toRollout(line: string, tokenizer: Tokenizer | undefined): Rollout | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { data } = schema.safeParse(json);
  if (data === undefined || data.mask.length !== data.ids.length || data.logprobs.length !== data.ids.length)
    return undefined;
  const { step, id, group, sample, prompt, text, reward, advantage, segments, ids, tools } = data;
  return {
    step,
    id,
    group,
    sample,
    prompt: prompt ?? "",
    tokens: tokenizer === undefined ? null : tokenTexts(ids, tokenizer),
    ids,
    mask: data.mask.map((bit) => (bit === 1 ? "1" : "0")).join(""),
    logprobs: data.logprobs.map((value) => Math.round(value * 1e5) / 1e5),
    segments: segments.map(({ kind, start, end }) => [kind, start, end] as const),
    text,
    reward: reward ?? null,
    advantage: advantage ?? null,
    finishReason: data.finish_reason,
    tools: tools.map(({ status, stderr = "" }, place) => ({
      status,
      milliseconds: data.time?.tools[place]?.ms ?? null,
      queueMilliseconds: data.time?.tools[place]?.queue_ms ?? null,
      stderr: stderr.length > LONGEST_STDERR ? `${stderr.slice(0, LONGEST_STDERR)}\n(cut)` : stderr,
    })),
  };
}

/** What each id adds to the text: nothing while a character is unfinished. Null when an id is not of this tokenizer. */
function tokenTexts(ids: readonly number[], tokenizer: Tokenizer): string[] | null {
  if (ids.some((id) => !Number.isInteger(id) || id < 0 || id >= tokenizer.vocabularySize)) return null;
  const stream = tokenizer.stream();
  const texts = ids.map((id) => stream.push(id));
  const rest = stream.end();
  if (rest !== "") texts[texts.length - 1] += rest;
  return texts;
}
