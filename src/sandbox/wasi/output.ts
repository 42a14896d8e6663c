import { at } from "../../base/must";

/**
 * A stdout or stderr that keeps the first and the last part of what is written, within a fixed number of bytes,
 * and counts the rest. Bytes are decoded when the guest has ended, so a character split over two writes is whole.
 */
export class CappedOutput {
  readonly #head: Uint8Array;
  /** Ring of the latest bytes once the head is full. */
  readonly #tail: Uint8Array;
  #headLength = 0;
  #tailTotal = 0;

  /** @param limit bytes kept: three quarters from the start, one quarter from the end. */
  constructor(limit: number) {
    const tail = Math.floor(limit / 4);
    this.#head = new Uint8Array(limit - tail);
    this.#tail = new Uint8Array(tail);
  }

  /** Bytes written so far, kept or not. */
  get total(): number {
    return this.#headLength + this.#tailTotal;
  }

  get truncated(): boolean {
    return this.#tailTotal > this.#tail.length;
  }

  write(bytes: Uint8Array): void {
    const first = Math.min(bytes.length, this.#head.length - this.#headLength);
    this.#head.set(bytes.subarray(0, first), this.#headLength);
    this.#headLength += first;
    const rest = bytes.subarray(first);
    const size = this.#tail.length;
    const keep = rest.subarray(Math.max(0, rest.length - size));
    const at = size === 0 ? 0 : (this.#tailTotal + rest.length - keep.length) % size;
    const before = Math.min(keep.length, size - at);
    this.#tail.set(keep.subarray(0, before), at);
    this.#tail.set(keep.subarray(before), 0);
    this.#tailTotal += rest.length;
  }

  /** The kept text; invalid UTF-8 becomes U+FFFD, a gap in the middle becomes one line that gives its size. */
  text(): string {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const size = this.#tail.length;
    if (!this.truncated) {
      const all = new Uint8Array(this.total);
      all.set(this.#head.subarray(0, this.#headLength));
      all.set(this.#tail.subarray(0, this.#tailTotal), this.#headLength);
      return decoder.decode(all);
    }
    const at = size === 0 ? 0 : this.#tailTotal % size;
    const tail = new Uint8Array(size);
    tail.set(this.#tail.subarray(at));
    tail.set(this.#tail.subarray(0, at), size - at);
    const head = this.#head.subarray(0, characterEnd(this.#head));
    const rest = tail.subarray(characterStart(tail));
    const left = this.total - head.length - rest.length;
    return `${decoder.decode(head)}\n[${left} bytes left out]\n${decoder.decode(rest)}`;
  }
}

/** Length without a UTF-8 character that is cut off at the end. */
function characterEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = at(bytes, bytes.length - back);
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Index of the first byte that is not in the middle of a character. */
function characterStart(bytes: Uint8Array): number {
  let start = 0;
  while (start < 3 && start < bytes.length && (at(bytes, start) & 0xc0) === 0x80) start++;
  return start;
}
