/** One batch of rows for the model. All rows run in one forward pass; rows of one slot appear in ascending position order. */
export interface RowBatch {
  /** [rows] Slot of each row. */
  slots: Uint32Array;
  /** [rows] The token at (slot, position) is computed; its K/V go to the slot's page. */
  positions: Uint32Array;
  /** [samples] Index into rows whose next-token distribution is sampled; one row may be sampled several times. */
  sampleRows: Uint32Array;
  /** [samples] Slot that gets the sampled token, at position+1 of the row. */
  sampleSlots: Uint32Array;
  /** [samples] Random key of each sample; the draw depends on (seed, trajectoryId, position+1) only. */
  trajectoryIds: Uint32Array;
}

/** [samples] Sampled ids and their log-probs under the distribution that was sampled, in the order of `sampleRows`. */
export interface SampledTokens {
  tokens: Uint32Array;
  logprobs: Float32Array;
}

/**
 * The model as the scheduler sees it. Calls take effect in the order in which they are made: an `enqueue` sees every
 * `setTokens`, `setPages` and `copyPages` before it and none after it, whether or not its promise has settled.
 */
export interface Decoder {
  readonly slotCount: number;
  /** Tokens per KV page. */
  readonly pageSize: number;
  readonly pageCount: number;
  /** Most rows one batch may have. */
  readonly maxRows: number;
  /** Most tokens one slot may hold, prompt included. */
  readonly maxLength: number;
  /** Prompt, observation: written before the batch that computes them. */
  setTokens(slot: number, position: number, ids: Uint32Array): void;
  /** Whole page table of the slot. */
  setPages(slot: number, pages: Uint32Array): void;
  /** Copies K/V of whole pages in every layer. */
  copyPages(from: Uint32Array, to: Uint32Array): void;
  /** Ordered; a later batch may use a sampled token of an earlier one without waiting for its promise. */
  enqueue(batch: RowBatch): Promise<SampledTokens>;
}
