/** Rollout statistics: rows, tokens, and how much of the time of tool calls decoding has hidden. */

/** What one rollout did. Times in milliseconds. */
export interface RolloutStatistics {
  /** Batches and rows given to the decoder. */
  batches: number;
  rows: number;
  /** Rows computed past a stop because the stop was not yet known. */
  discardedRows: number;
  /** Tokens that became part of a trajectory: sampled, and observed. */
  sampledTokens: number;
  observationTokens: number;
  toolCalls: number;
  /** Summed over tool calls: their time from call to return, and the part of it in which the decoder had batches. */
  toolMs: number;
  toolHiddenMs: number;
  /** Wall time in which calls ran and the decoder had nothing to do. */
  toolExposedMs: number;
  /** Most slots and pages in use at once. */
  peakSlots: number;
  peakPages: number;
  elapsedMs: number;
}

/** Collects {@link RolloutStatistics}: told of each change in what runs, it charges the time since the last one. */
export class StatisticsCollector {
  readonly totals: RolloutStatistics = {
    batches: 0,
    rows: 0,
    discardedRows: 0,
    sampledTokens: 0,
    observationTokens: 0,
    toolCalls: 0,
    toolMs: 0,
    toolHiddenMs: 0,
    toolExposedMs: 0,
    peakSlots: 0,
    peakPages: 0,
    elapsedMs: 0,
  };
  readonly #now: () => number;
  #last: number;
  #tools = 0;
  #batches = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#last = now();
  }

  /** `tools` and `batches` are the changes in the number of calls and of batches under way. */
  change(tools: number, batches: number): void {
    const time = this.#now();
    const passed = time - this.#last;
    this.#last = time;
    this.totals.elapsedMs += passed;
    this.totals.toolMs += passed * this.#tools;
    if (this.#batches > 0) this.totals.toolHiddenMs += passed * this.#tools;
    else if (this.#tools > 0) this.totals.toolExposedMs += passed;
    this.#tools += tools;
    this.#batches += batches;
  }
}

/** Metric names and values for a step's metrics line. A fraction of nothing is 1: no time was lost. */
export function rolloutMetrics(statistics: RolloutStatistics): Record<string, number> {
  const { toolMs, toolHiddenMs, rows, discardedRows } = statistics;
  return {
    "overlap/tool_hidden_fraction": toolMs > 0 ? toolHiddenMs / toolMs : 1,
    "overlap/tool_exposed_seconds": statistics.toolExposedMs / 1000,
    "rollout/batches": statistics.batches,
    "rollout/rows": rows,
    "rollout/discarded_row_fraction": rows > 0 ? discardedRows / rows : 0,
    "rollout/peak_slots": statistics.peakSlots,
    "rollout/seconds": statistics.elapsedMs / 1000,
  };
}
