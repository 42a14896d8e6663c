/**
 * Admission: which sample gets a slot and KV pages next, and how it comes by its prompt's keys and values.
 */
import { UserError } from "../base/errors";
import { at } from "../base/must";
import type { Decoder } from "./decoder";
import { lastPromptPage, type RolloutRequest, type Sequence, type SequenceGroup } from "./decoding-sequence";
import { PagePool, planPages } from "./page-pool";
import type { TokenizerView } from "./tokenizer";
import { TurnMachine, type TurnOptions } from "./turns";

/**
 * Lets samples into slots, in the order of the requests. Every sample gets all the pages that it can ever need when it
 * enters, so that none can run out of them midway. The group's prompt is computed once: the first sample computes it in
 * its own pages; all but the last are shared, the last is copied.
 */
export class Admission {
  readonly #decoder: Decoder;
  readonly #tokenizer: TokenizerView;
  readonly #options: TurnOptions;
  readonly #pool: PagePool;
  readonly #groups: SequenceGroup[];
  readonly #freeSlots: boolean[];
  #nextGroup = 0;

  /** @throws UserError if a request can never fit. */
  constructor(
    requests: readonly RolloutRequest[],
    decoder: Decoder,
    tokenizer: TokenizerView,
    options: TurnOptions,
    maxActive: number,
  ) {
    this.#decoder = decoder;
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.#pool = new PagePool(decoder.pageCount);
    this.#freeSlots = new Array<boolean>(Math.min(decoder.slotCount, decoder.maxRows, maxActive)).fill(true);
    checkRequests(requests, decoder, options.maxCompletionLength);
    this.#groups = requests
      .filter((request) => request.trajectoryIds.length > 0)
      .map((request) => ({
        request,
        plan: planPages(request.promptIds.length, options.maxCompletionLength, decoder.pageSize),
        admitted: 0,
        promptPages: [],
        prefilled: false,
        followers: [],
      }));
  }

  get usedPages(): number {
    return this.#pool.used;
  }

  /** Lets the next sample in if there is a slot and there are pages for it. */
  admit(): Sequence | undefined {
    const group = this.#groups[this.#nextGroup];
    const slot = this.#freeSlots.indexOf(true);
    if (group === undefined || slot < 0) return undefined;
    const pages = group.admitted === 0 ? this.#leaderPages(group) : this.#memberPages(group);
    if (pages === undefined) return undefined;
    this.#freeSlots[slot] = false;
    const sequence = this.#sequence(group, slot, pages);
    this.#decoder.setPages(slot, Uint32Array.from(pages));
    const { promptIds, trajectoryIds } = group.request;
    if (group.admitted === 0) {
      this.#decoder.setTokens(slot, 0, promptIds);
    } else if (!group.prefilled) {
      sequence.state = "follow";
      group.followers.push(sequence);
    } else {
      this.#joinLate(sequence, promptIds);
    }
    group.admitted++;
    if (group.admitted === trajectoryIds.length) {
      this.#pool.release(group.promptPages);
      this.#nextGroup++;
    }
    return sequence;
  }

  /** Gives slot and pages back; batches already on their way may still write to them, before any later one. */
  release(sequence: Sequence): void {
    this.#pool.release(sequence.pages);
    this.#freeSlots[sequence.slot] = true;
  }

  /** The first sample's pages; those of the prompt are held for the others too. */
  #leaderPages(group: SequenceGroup): number[] | undefined {
    const pages = this.#pool.allocate(group.plan.total);
    if (pages === undefined) return undefined;
    group.promptPages = pages.slice(0, group.plan.shared + 1);
    this.#pool.retain(group.promptPages);
    return pages;
  }

  #memberPages(group: SequenceGroup): number[] | undefined {
    const { shared, total } = group.plan;
    const own = this.#pool.allocate(total - shared);
    if (own === undefined) return undefined;
    const common = group.promptPages.slice(0, shared);
    this.#pool.retain(common);
    return [...common, ...own];
  }

  /** The prompt row was sampled before this sample entered: its last row is computed again, to draw from it. */
  #joinLate(sequence: Sequence, promptIds: Uint32Array): void {
    const { from, to } = lastPromptPage(sequence);
    this.#decoder.copyPages(Uint32Array.of(from), Uint32Array.of(to));
    const last = promptIds.length - 1;
    this.#decoder.setTokens(sequence.slot, last, promptIds.slice(last));
    sequence.next = last;
  }

  #sequence(group: SequenceGroup, slot: number, pages: number[]): Sequence {
    const { promptIds, trajectoryIds } = group.request;
    return {
      group,
      sampleIndex: group.admitted,
      id: at(trajectoryIds, group.admitted),
      slot,
      pages,
      turns: new TurnMachine(this.#tokenizer, this.#options),
      toolLog: [],
      policyVersions: [],
      lastRow: promptIds.length + this.#options.maxCompletionLength - 2,
      state: "run",
      next: 0,
      known: promptIds.length - 1,
      epoch: 0,
    };
  }
}

function checkRequests(requests: readonly RolloutRequest[], decoder: Decoder, completionLength: number): void {
  const ids = new Set<number>();
  for (const { groupIndex, promptIds, trajectoryIds } of requests) {
    const what = `rollout of group ${groupIndex}: its prompt has ${promptIds.length} tokens`;
    if (promptIds.length === 0)
      throw new UserError(`${what}, but generation needs at least one: check the prompt template`);
    if (promptIds.length + completionLength > decoder.maxLength)
      throw new UserError(
        `${what} and max_completion_length is ${completionLength}, but a sequence holds at most ${decoder.maxLength} ` +
          "tokens: lower max_completion_length or max_prompt_length",
      );
    const plan = planPages(promptIds.length, completionLength, decoder.pageSize);
    const pages = plan.total + (trajectoryIds.length > 1 ? 1 : 0);
    if (pages > decoder.pageCount)
      throw new UserError(
        `${what}, which with max_completion_length ${completionLength} needs ${pages} KV pages of ${decoder.pageSize} tokens, ` +
          `but there are ${decoder.pageCount}: lower max_completion_length or give the KV cache more pages`,
      );
    for (const id of trajectoryIds) {
      if (ids.has(id)) throw new Error(`trajectory id ${id} is used twice`);
      ids.add(id);
    }
  }
}
