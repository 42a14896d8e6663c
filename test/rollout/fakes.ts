import type { Decoder, RowBatch, SampledTokens } from "../../src/rollout/decoder";
import type { TokenizerView } from "../../src/rollout/tokenizer";
import type { PythonCall, PythonResult } from "../../src/sandbox/engine";

/** 32-bit hash of numbers. */
export function hash(...values: number[]): number {
  let h = 0x811c9dc5;
  for (const value of values) {
    h = Math.imul(h ^ value, 0x01000193);
    h ^= h >>> 15;
    h = Math.imul(h, 0x2c1b3c6d);
    h ^= h >>> 12;
  }
  return h >>> 0;
}

export function hashText(text: string): number {
  return hash(...Array.from(text, (character) => character.codePointAt(0) ?? 0));
}

/** Whole numbers below a bound, from a seed. */
export function random(seed: number): (below: number) => number {
  let count = 0;
  return (below) => hash(seed, count++) % below;
}

let passed = 0;

/** Waits for some turns of the event loop. */
export async function turnsOfTheLoop(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    passed++;
  }
}

/** A clock that moves only while someone waits in {@link turnsOfTheLoop}. */
export function turnsPassed(): number {
  return passed;
}

const OBSERVED = 1 << 20;
const BYTE = 1 << 19;

/**
 * Any string can be a token. Observations get ids of their own kind, so that a model can tell them apart; raw bytes are
 * tokens too.
 */
export class FakeTokenizer implements TokenizerView {
  readonly eosId = 0;
  private readonly texts = [""];
  private readonly ids = new Map<string, number>();

  token(text: string): number {
    const known = this.ids.get(text);
    if (known !== undefined) return known;
    this.texts.push(text);
    this.ids.set(text, this.texts.length - 1);
    return this.texts.length - 1;
  }

  tokens(...texts: string[]): number[] {
    return texts.map((text) => this.token(text));
  }

  chars(text: string): number[] {
    return Array.from(text, (character) => this.token(character));
  }

  byte(value: number): number {
    return BYTE + value;
  }

  encodePlain(text: string): Uint32Array {
    return Uint32Array.from(this.chars(text), (id) => id + OBSERVED);
  }

  isObserved(id: number): boolean {
    return id >= OBSERVED;
  }

  decode(ids: Uint32Array): string {
    const encoder = new TextEncoder();
    const bytes: number[] = [];
    for (const id of ids) {
      if (id >= BYTE && id < OBSERVED) bytes.push(id - BYTE);
      else bytes.push(...encoder.encode(this.texts[id >= OBSERVED ? id - OBSERVED : id]));
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  }
}

/** In a script: a token that depends on everything before it. */
export const ANY = -1;

/**
 * What each trajectory says: its sampled tokens in order, whatever is observed between them; then the end token for
 * ever.
 */
export interface Script {
  prompt: readonly number[];
  tokens: readonly number[];
}

/** The token and log-prob that the fake model draws after `prefix` (prompt and completion). */
export function drawAfter(
  prefix: readonly number[],
  id: number,
  script: Script,
  tokenizer: FakeTokenizer,
): { token: number; logprob: number } {
  const said = prefix.slice(script.prompt.length).filter((token) => !tokenizer.isObserved(token)).length;
  const key = hash(id, ...prefix);
  const scripted = script.tokens[said] ?? tokenizer.eosId;
  const token = scripted === ANY ? tokenizer.token("abc \n`"[key % 6] ?? "a") : scripted;
  return { token, logprob: Math.fround(-(key % 9973) / 997) };
}

export interface FakeShape {
  slots: number;
  pageSize: number;
  pageCount: number;
  maxRows: number;
  maxLength: number;
}

interface Entry {
  token: number;
  position: number;
  /** Hash of all tokens up to here, as this row saw them through its page table. */
  prefix: number;
}

/**
 * A model whose draw depends on every token it sees through the page tables. Each row checks that all K/V before it
 * come from one unbroken sequence, and each sample that this sequence begins with the trajectory's prompt.
 */
export class FakeDecoder implements Decoder {
  readonly slotCount: number;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly maxRows: number;
  readonly maxLength: number;
  readonly batches: RowBatch[] = [];
  /** Batches not yet answered: most at once. */
  mostOnTheirWay = 0;
  private onTheirWay = 0;
  private readonly tokens: Map<number, number>[];
  private readonly tables: Uint32Array[];
  private readonly cache: (Entry | undefined)[];
  private last: Promise<unknown> = Promise.resolve();
  private readonly delay: () => number;
  private readonly scripts: ReadonlyMap<number, Script>;
  private readonly tokenizer: FakeTokenizer;

  constructor(
    shape: FakeShape,
    scripts: ReadonlyMap<number, Script>,
    tokenizer: FakeTokenizer,
    delay: () => number = () => 0,
  ) {
    this.slotCount = shape.slots;
    this.pageSize = shape.pageSize;
    this.pageCount = shape.pageCount;
    this.maxRows = shape.maxRows;
    this.maxLength = shape.maxLength;
    this.tokens = Array.from({ length: shape.slots }, () => new Map<number, number>());
    this.tables = Array.from({ length: shape.slots }, () => new Uint32Array());
    this.cache = new Array<Entry | undefined>(shape.pageCount * shape.pageSize).fill(undefined);
    this.scripts = scripts;
    this.tokenizer = tokenizer;
    this.delay = delay;
  }

  setTokens(slot: number, position: number, ids: Uint32Array): void {
    if (position + ids.length > this.maxLength) throw new Error("tokens beyond the end of the slot");
    ids.forEach((id, i) => {
      this.slotTokens(slot).set(position + i, id);
    });
  }

  setPages(slot: number, pages: Uint32Array): void {
    this.slotTokens(slot).clear();
    this.tables[slot] = pages.slice();
  }

  copyPages(from: Uint32Array, to: Uint32Array): void {
    from.forEach((page, i) => {
      for (let j = 0; j < this.pageSize; j++)
        this.cache[(to[i] ?? 0) * this.pageSize + j] = this.cache[page * this.pageSize + j];
    });
  }

  enqueue(batch: RowBatch): Promise<SampledTokens> {
    const sampled = this.compute(batch);
    this.batches.push(batch);
    this.mostOnTheirWay = Math.max(this.mostOnTheirWay, ++this.onTheirWay);
    const before = this.last;
    const answer = (async () => {
      await turnsOfTheLoop(this.delay());
      await before;
      this.onTheirWay--;
      return sampled;
    })();
    this.last = answer;
    return answer;
  }

  private compute(batch: RowBatch): SampledTokens {
    if (batch.slots.length === 0 || batch.slots.length > this.maxRows) throw new Error(`${batch.slots.length} rows`);
    const written = new Map<number, number>();
    const seen = Array.from(batch.slots, (slot, row) => this.computeRow(slot, batch.positions[row] ?? 0, written));
    this.checkOwnership(batch, written);
    const tokens = new Uint32Array(batch.sampleRows.length);
    const logprobs = new Float32Array(batch.sampleRows.length);
    batch.sampleRows.forEach((row, i) => {
      const prefix = seen[row] ?? [];
      const id = batch.trajectoryIds[i] ?? 0;
      const script = this.scripts.get(id);
      if (script === undefined) throw new Error(`no script for ${id}`);
      if (script.prompt.some((token, j) => prefix[j] !== token)) throw new Error(`${id} sees another prompt`);
      const { token, logprob } = drawAfter(prefix, id, script, this.tokenizer);
      tokens[i] = token;
      logprobs[i] = logprob;
      this.slotTokens(batch.sampleSlots[i] ?? 0).set((batch.positions[row] ?? 0) + 1, token);
    });
    return { tokens, logprobs };
  }

  /** Writes the row's K/V and returns all tokens up to it, read through the page table. */
  private computeRow(slot: number, position: number, written: Map<number, number>): number[] {
    const token = this.slotTokens(slot).get(position);
    if (token === undefined) throw new Error(`no token at slot ${slot}, position ${position}`);
    const prefix: number[] = [];
    let state = 0;
    for (let i = 0; i < position; i++) {
      const entry = this.cache[this.place(slot, i)];
      if (entry === undefined || entry.position !== i || entry.prefix !== hash(state, entry.token))
        throw new Error(`slot ${slot}, position ${position}: K/V at ${i} are not of this sequence`);
      prefix.push(entry.token);
      state = entry.prefix;
    }
    const place = this.place(slot, position);
    if (written.has(place)) throw new Error(`two rows write K/V at ${place}`);
    written.set(place, slot);
    this.cache[place] = { token, position, prefix: hash(state, token) };
    return [...prefix, token];
  }

  /** No row may read what another slot's row of the same batch writes: rows of a batch have no order. */
  private checkOwnership(batch: RowBatch, written: ReadonlyMap<number, number>): void {
    batch.slots.forEach((slot, row) => {
      for (let i = 0; i < (batch.positions[row] ?? 0); i++)
        if ((written.get(this.place(slot, i)) ?? slot) !== slot)
          throw new Error(`slot ${slot} reads K/V that another slot writes in the same batch`);
    });
  }

  private place(slot: number, position: number): number {
    const page = this.tables[slot]?.[Math.floor(position / this.pageSize)];
    if (page === undefined || page >= this.pageCount) throw new Error(`slot ${slot} has no page for ${position}`);
    return page * this.pageSize + (position % this.pageSize);
  }

  private slotTokens(slot: number): Map<number, number> {
    const tokens = this.tokens[slot];
    if (tokens === undefined) throw new Error(`no slot ${slot}`);
    return tokens;
  }
}

/** What the fake Python says: it depends on code and seed. */
export function pythonResult(call: Pick<PythonCall, "code" | "seed">): PythonResult {
  const key = hash(hashText(call.code), hashText(call.seed));
  const failed = key % 5 === 0;
  const output = `${key}`.repeat(1 + (key % 4));
  return {
    status: failed ? "error" : "ok",
    stdout: failed ? "" : output,
    stderr: failed ? `Error ${output}` : "",
    ms: 0,
    queueMs: 0,
    truncated: false,
  };
}

/** Answers after some turns of the event loop; rejects, or throws, for code that says so. */
export class FakePython {
  readonly calls: PythonCall[] = [];
  running = 0;
  private readonly delay: () => number;

  constructor(delay: () => number = () => 0) {
    this.delay = delay;
  }

  run(call: PythonCall): Promise<PythonResult> {
    this.calls.push(call);
    if (call.code.includes("throw")) throw new Error("the engine is closed");
    return this.answer(call);
  }

  private async answer(call: PythonCall): Promise<PythonResult> {
    this.running++;
    const delay = this.delay();
    await turnsOfTheLoop(delay);
    this.running--;
    if (call.code.includes("die")) throw new Error("the worker died");
    return { ...pythonResult(call), ms: delay };
  }
}

export function formatObservation(result: PythonResult): string {
  return `\n\`\`\`output\n${result.stdout || result.stderr}\n\`\`\`\n\n\n`;
}
