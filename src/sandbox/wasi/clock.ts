/** 2025-01-01T00:00:00Z: what every call sees as the present. */
const START = 1_735_689_600_000_000_000n;
/** Each reading moves time by 50 microseconds, so that a loop which waits for the clock ends. */
const TICK = 50_000n;

/** Time as the guest sees it: it starts at a fixed date and moves only when it is read or slept through. */
export class VirtualClock {
  #elapsed = 0n;

  /** Nanoseconds since 1970 (clock 0) or since the start of the call plus one hour (the other clocks). */
  read(clock: number): bigint {
    this.#elapsed += TICK;
    return this.peek(clock);
  }

  /** The same without moving time. */
  peek(clock: number): bigint {
    return clock === 0 ? START + this.#elapsed : 3_600_000_000_000n + this.#elapsed;
  }

  /** Sleeps for a number of nanoseconds. */
  advance(nanoseconds: bigint): void {
    this.#elapsed += nanoseconds;
  }

  /** Milliseconds since the start of the call. */
  get elapsedMs(): number {
    return Number(this.#elapsed / 1_000_000n);
  }
}
