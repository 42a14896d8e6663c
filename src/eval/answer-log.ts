/** The samples of an evaluation: found again after a kill, each at most once. */
import { UserError } from "../base/errors";
import type { RunFiles } from "../session/run-folder";
import { type AnswerKey, keyText, type Outcome, parseAnswerLine } from "./answers";

export const SAMPLES = "samples.jsonl";
const READ_BYTES = 2 ** 20;
const LINE_FEED = 10;

interface Place {
  readonly offset: number;
  /** Bytes, the line break included. */
  readonly length: number;
}

/**
 * samples.jsonl: while samples come, one line each in the order in which they end; put into the order of the questions
 * at the end, so that a run that was killed and one that was not leave the same bytes. Only outcomes and places of
 * lines are held in memory.
 */
export class AnswerLog {
  readonly #outcomes = new Map<string, Outcome>();
  readonly #places = new Map<string, Place>();
  readonly #files: RunFiles | undefined;
  #size = 0;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;

  private constructor(files: RunFiles | undefined) {
    this.#files = files;
  }

  /**
   * Reads what an earlier process left; a last line without its end is cut off. Without files nothing is kept.
   * @throws UserError at a line that is no sample
   */
  static async open(files: RunFiles | undefined): Promise<AnswerLog> {
    const log = new AnswerLog(files);
    if (files === undefined) return log;
    let end = 0;
    let number = 0;
    for await (const bytes of lines(files)) {
      number++;
      const parsed = parseAnswerLine(new TextDecoder().decode(bytes));
      if (parsed === undefined)
        throw new UserError(
          `${files.path}/${SAMPLES}, line ${number}: is no sample; delete the line, or choose another --output-dir`,
        );
      log.#outcomes.set(keyText(parsed.key), parsed.outcome);
      log.#places.set(keyText(parsed.key), { offset: end, length: bytes.length });
      end += bytes.length;
    }
    log.#size = end;
    await files.truncate(SAMPLES, end);
    return log;
  }

  /** Samples that are there. */
  get count(): number {
    return this.#outcomes.size;
  }

  outcome(key: AnswerKey): Outcome | undefined {
    return this.#outcomes.get(keyText(key));
  }

  /** Takes a line of `answerLine`; it is on the disk after {@link flush} at the latest. */
  add(key: AnswerKey, line: string): void {
    const parsed = parseAnswerLine(line);
    if (parsed === undefined) throw new Error("a line of samples cannot be read back");
    this.#outcomes.set(keyText(key), parsed.outcome);
    if (this.#files === undefined) return;
    const length = new TextEncoder().encode(line).length + 1;
    this.#places.set(keyText(key), { offset: this.#size, length });
    this.#size += length;
    this.#waiting.push(`${line}\n`);
    // A failure is thrown by `flush`.
    if (this.#writing === undefined) this.#drain().catch(() => {});
  }

  /** Waits until all that was added is on the disk. */
  async flush(): Promise<void> {
    do await this.#drain();
    while (this.#waiting.length > 0);
  }

  /** One write at a time takes all lines that have come meanwhile. After a failure no more is written. */
  #drain(): Promise<void> {
    this.#writing ??= this.#write().then(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const text = this.#waiting.join("");
      this.#waiting = [];
      await this.#files?.append(SAMPLES, text);
    }
  }

  /** Puts the lines into this order and leaves out others. */
  async arrange(order: Iterable<AnswerKey>): Promise<void> {
    await this.flush();
    const files = this.#files;
    if (files === undefined) return;
    const places = Array.from(order, (key) => this.#places.get(keyText(key))).filter((place) => place !== undefined);
    const inOrder = places.every(({ offset }, i) => i === 0 || offset > (places[i - 1]?.offset ?? 0));
    const length = places.reduce((sum, place) => sum + place.length, 0);
    if (inOrder && length === this.#size) return;
    const source = await files.folder("").open(SAMPLES);
    if (source === undefined) return;
    await files.write(
      SAMPLES,
      (async function* () {
        const decoder = new TextDecoder();
        for (const place of places) yield decoder.decode(await source.read(place.offset, place.length));
      })(),
    );
  }
}

/** Complete lines with their breaks. */
async function* lines(files: RunFiles): AsyncGenerator<Uint8Array> {
  const source = await files.folder("").open(SAMPLES);
  if (source === undefined) return;
  let rest = new Uint8Array();
  for (let at = 0; at < source.size; at += READ_BYTES) {
    const piece = await source.read(at, Math.min(READ_BYTES, source.size - at));
    const bytes = new Uint8Array(rest.length + piece.length);
    bytes.set(rest);
    bytes.set(piece, rest.length);
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
      yield bytes.subarray(from, end + 1);
      from = end + 1;
    }
    rest = bytes.slice(from);
  }
}
