/**
 * Turns of a trajectory: sampled tokens are read for code fences, turn ends and stop strings, and observations are
 * appended. A pure state machine: no model, no tool, no clock.
 */
import { at } from "../base/must";
import { CODE_CLOSING, CODE_OPENING, extractCode } from "../sandbox/observation";
import { CONTINUATION, IncrementalDetokenizer, type TokenizerView } from "./tokenizer";
import type { FinishReason, Segment } from "./trajectory";

/** How the model's text is cut into what is answered: blocks that are run, and turns. */
export interface TurnProtocol {
  /** Opens a block, which {@link CODE_CLOSING} closes. Null: there are no blocks. */
  readonly opening: string | null;
  /** The program in a block; empty when there is nothing to run. */
  program(block: string): string;
  /** Strings that end a turn outside blocks; they stay in the output. */
  readonly turnEnds: readonly string[];
}

/** ZeroTIR's: Python in fences, and no turns. */
export const PYTHON_PROTOCOL: TurnProtocol = { opening: CODE_OPENING, program: extractCode, turnEnds: [] };

/** Rules of one trajectory. */
export interface TurnOptions {
  /** Default: {@link PYTHON_PROTOCOL}. */
  protocol?: TurnProtocol;
  /** Strings that end the trajectory in any state; they stay in the output. */
  stopStrings: readonly string[];
  /** Ids that end it beside the tokenizer's end-of-sequence id. */
  stopTokenIds?: readonly number[];
  /** N_max: after 2*N_max fence stops, fences mean nothing any more. 0: no tool. */
  maxToolCalls: number;
  /** Most tokens after the prompt, observations included. */
  maxCompletionLength: number;
}

/**
 * What the model did and waits to be answered: a block is to be run, or a turn has ended, whose text is given without
 * its end.
 */
export type Action = { kind: "execute"; code: string } | { kind: "step"; text: string };

/** What the scheduler has to do after a token. */
export type TurnEvent = { kind: "continue" } | Action | { kind: "finished"; reason: FinishReason };

/** Tokens and ending of a finished trajectory, as in `Trajectory`. */
export interface TurnResult {
  ids: Uint32Array;
  mask: Uint8Array;
  logprobs: Float32Array;
  segments: Segment[];
  finishReason: FinishReason;
  stopString?: string;
  modelText: string;
  fullText: string;
}

interface Stop {
  text: string;
  kind: "opening" | "closing" | "turn" | "end";
}

/**
 * The interaction of one trajectory (ZeroTIR, arXiv 2505.07773): text until a "```python" fence, code until a "```"
 * fence, observation, text again. Another {@link TurnProtocol} has another fence, or strings that end a turn in text.
 * Pure: it sees sampled ids, and asks for the execution of code or the answer to a turn.
 *
 * Stops are found in the text as it is read character by character, so they do not depend on how it is cut into tokens:
 * a fence may be spread over several tokens, or share one with other text. Tokens are never split: text behind a fence
 * in the same token stays in the output; it counts as the beginning of the code, and is not scanned when code is
 * executed, for then the observation comes next.
 */
export class TurnMachine {
  readonly #tokenizer: TokenizerView;
  readonly #options: TurnOptions;
  readonly #protocol: TurnProtocol;
  readonly #stopTokens: ReadonlySet<number>;
  readonly #stream: IncrementalDetokenizer;
  readonly #ids: number[] = [];
  readonly #mask: number[] = [];
  readonly #logprobs: number[] = [];
  readonly #segments: Segment[] = [];
  #state: "text" | "code" = "text";
  #phase: "model" | "tool" | "finished" = "model";
  #stops: Stop[] = [];
  #longestStop = 1;
  /** End of the current state's text: a stop may have begun in it. */
  #tail = "";
  #code = "";
  /** Text since the last observation. */
  #turn = "";
  #fenceStops = 0;
  #finishReason: FinishReason = "length";
  #stopString: string | undefined;

  constructor(tokenizer: TokenizerView, options: TurnOptions) {
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.#protocol = options.protocol ?? PYTHON_PROTOCOL;
    this.#stopTokens = new Set([tokenizer.eosId, ...(options.stopTokenIds ?? [])]);
    this.#stream = new IncrementalDetokenizer(tokenizer);
    this.#enter("text");
  }

  /** Tokens after the prompt so far. */
  get length(): number {
    return this.#ids.length;
  }

  /** Takes a sampled token. */
  push(id: number, logprob: number): TurnEvent {
    if (this.#phase !== "model") throw new Error(`a token was sampled in phase ${this.#phase}`);
    const kind = this.#state;
    this.#append(kind, [id], 1, logprob);
    if (this.#stopTokens.has(id)) return this.#finish("stop");
    const event = this.#scan(this.#stream.push(id));
    if (event?.kind === "finished") return event;
    // A block that ends with the budget is not run: nothing could follow its observation.
    if (this.#ids.length >= this.#options.maxCompletionLength) return this.#finish("length");
    return event ?? { kind: "continue" };
  }

  /**
   * Appends the observation that an {@link Action} asked for. If the budget leaves no room for it and one more sampled
   * token, nothing is appended and the trajectory ends, so that its last token is always a sampled one.
   */
  resume(observationIds: Uint32Array): TurnEvent {
    if (this.#phase !== "tool") throw new Error(`an observation came in phase ${this.#phase}`);
    if (this.#ids.length + observationIds.length >= this.#options.maxCompletionLength) return this.#finish("length");
    this.#append("observation", observationIds, 0, 0);
    this.#phase = "model";
    this.#turn = "";
    return { kind: "continue" };
  }

  /** Ends the trajectory in place of an observation. */
  end(reason: FinishReason): TurnEvent {
    if (this.#phase !== "tool") throw new Error(`the end came in phase ${this.#phase}`);
    return this.#finish(reason);
  }

  /** The finished trajectory's tokens. */
  result(): TurnResult {
    if (this.#phase !== "finished") throw new Error(`a result was asked for in phase ${this.#phase}`);
    return {
      ids: Uint32Array.from(this.#ids),
      mask: Uint8Array.from(this.#mask),
      logprobs: Float32Array.from(this.#logprobs),
      segments: this.#segments.map((segment) => ({ ...segment })),
      finishReason: this.#finishReason,
      ...(this.#stopString === undefined ? {} : { stopString: this.#stopString }),
      modelText: this.#modelText(),
      fullText: this.#tokenizer.decode(Uint32Array.from(this.#ids), CONTINUATION),
    };
  }

  /** Observations cut the sampled tokens into runs: each is decoded on its own, as its text was read. */
  #modelText(): string {
    let text = "";
    let run: number[] = [];
    for (const { kind, start, end } of this.#segments) {
      if (kind !== "observation") run = run.concat(this.#ids.slice(start, end));
      else if (run.length > 0) {
        text += this.#tokenizer.decode(Uint32Array.from(run), CONTINUATION);
        run = [];
      }
    }
    return run.length > 0 ? text + this.#tokenizer.decode(Uint32Array.from(run), CONTINUATION) : text;
  }

  #append(kind: Segment["kind"], ids: ArrayLike<number>, mask: number, logprob: number): void {
    if (ids.length === 0) return;
    const start = this.#ids.length;
    for (let i = 0; i < ids.length; i++) {
      this.#ids.push(at(ids, i));
      this.#mask.push(mask);
      this.#logprobs.push(logprob);
    }
    const last = this.#segments.at(-1);
    if (last?.kind === kind) last.end = this.#ids.length;
    else this.#segments.push({ kind, start, end: this.#ids.length });
  }

  #enter(state: "text" | "code"): void {
    this.#state = state;
    this.#tail = "";
    this.#code = "";
    const { opening, turnEnds } = this.#protocol;
    this.#stops = this.#options.stopStrings.map((text) => ({ text, kind: "end" as const }));
    if (state === "code") {
      this.#stops.unshift({ text: CODE_CLOSING, kind: "closing" });
    } else {
      this.#stops.unshift(...turnEnds.map((text) => ({ text, kind: "turn" as const })));
      if (opening !== null && this.#fenceStops < 2 * this.#options.maxToolCalls)
        this.#stops.unshift({ text: opening, kind: "opening" });
    }
    this.#longestStop = Math.max(1, ...this.#stops.map((stop) => stop.text.length));
  }

  /** Reads new text of the current state; a fence changes the state in the middle of it. */
  #scan(text: string): TurnEvent | undefined {
    let rest = text;
    while (rest !== "") {
      const seen = this.#tail + rest;
      const stop = this.#firstStop(seen);
      if (stop === undefined) {
        if (this.#state === "code") this.#code += rest;
        this.#turn += rest;
        this.#tail = this.#longestStop > 1 ? seen.slice(1 - this.#longestStop) : "";
        return undefined;
      }
      const { kind, text: stopText, end } = stop;
      if (kind === "end") return this.#finish("stop", stopText);
      const read = seen.slice(this.#tail.length, end);
      const code = this.#code + read;
      this.#turn += read;
      rest = seen.slice(end);
      if (kind === "turn") {
        this.#enter("text");
        this.#phase = "tool";
        return { kind: "step", text: this.#turn.slice(0, -stopText.length) };
      }
      this.#fenceStops++;
      if (kind === "opening") {
        this.#enter("code");
      } else {
        this.#enter("text");
        const program = this.#protocol.program(code.slice(0, -CODE_CLOSING.length));
        if (program !== "") {
          this.#phase = "tool";
          return { kind: "execute", code: program };
        }
      }
    }
    return undefined;
  }

  /** The stop that is complete first; of two that end together, the longer. */
  #firstStop(text: string): { text: string; kind: Stop["kind"]; end: number } | undefined {
    let first: { text: string; kind: Stop["kind"]; end: number } | undefined;
    for (const stop of this.#stops) {
      const index = stop.text === "" ? -1 : text.indexOf(stop.text);
      if (index < 0) continue;
      const end = index + stop.text.length;
      if (first === undefined || end < first.end || (end === first.end && stop.text.length > first.text.length))
        first = { ...stop, end };
    }
    return first;
  }

  #finish(reason: FinishReason, stopString?: string): TurnEvent {
    this.#phase = "finished";
    this.#finishReason = reason;
    this.#stopString = stopString;
    return { kind: "finished", reason };
  }
}
