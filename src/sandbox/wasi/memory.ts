import { Errno, WasiError } from "./abi";

/**
 * The guest's linear memory with every access checked against its present size. Views are made anew after the
 * memory has grown, as growth detaches the old buffer.
 */
export class GuestMemory {
  readonly #memory: WebAssembly.Memory;
  #view: DataView;
  #bytes: Uint8Array;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
  }

  #refresh(): void {
    if (this.#view.buffer === this.#memory.buffer) return;
    this.#view = new DataView(this.#memory.buffer);
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }

  /** Throws EFAULT unless [pointer, pointer + length) lies inside the memory; returns the pointer as unsigned. */
  #check(pointer: number, length: number): number {
    this.#refresh();
    const start = pointer >>> 0;
    if (start + length > this.#bytes.length) throw new WasiError(Errno.FAULT);
    return start;
  }

  /** The bytes at a pointer, as a view: use it before the guest runs again. */
  slice(pointer: number, length: number): Uint8Array {
    const size = length >>> 0;
    const start = this.#check(pointer, size);
    return this.#bytes.subarray(start, start + size);
  }

  u32(pointer: number): number {
    const at = this.#check(pointer, 4);
    return this.#view.getUint32(at, true);
  }

  u64(pointer: number): bigint {
    const at = this.#check(pointer, 8);
    return this.#view.getBigUint64(at, true);
  }

  u16(pointer: number): number {
    const at = this.#check(pointer, 2);
    return this.#view.getUint16(at, true);
  }

  u8(pointer: number): number {
    const at = this.#check(pointer, 1);
    return this.#view.getUint8(at);
  }

  setU8(pointer: number, value: number): void {
    const at = this.#check(pointer, 1);
    this.#view.setUint8(at, value);
  }

  setU16(pointer: number, value: number): void {
    const at = this.#check(pointer, 2);
    this.#view.setUint16(at, value, true);
  }

  setU32(pointer: number, value: number): void {
    const at = this.#check(pointer, 4);
    this.#view.setUint32(at, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    const at = this.#check(pointer, 8);
    this.#view.setBigUint64(at, value, true);
  }

  /** The buffers of an iovec array of `count` entries, at most 1024 of them. */
  vectors(pointer: number, count: number): Uint8Array[] {
    const entries = count >>> 0;
    if (entries > 1024) throw new WasiError(Errno.INVAL);
    const buffers: Uint8Array[] = [];
    for (let i = 0; i < entries; i++) {
      const entry = (pointer >>> 0) + i * 8;
      buffers.push(this.slice(this.u32(entry), this.u32(entry + 4)));
    }
    return buffers;
  }

  /**
   * UTF-8 text at a pointer; EILSEQ when it is not UTF-8, EINVAL when it holds a NUL, ENAMETOOLONG beyond 4096 bytes.
   */
  text(pointer: number, length: number): string {
    if (length >>> 0 > 4096) throw new WasiError(Errno.NAMETOOLONG);
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.slice(pointer, length));
    } catch (error) {
      throw error instanceof WasiError ? error : new WasiError(Errno.ILSEQ);
    }
    if (text.includes("\0")) throw new WasiError(Errno.INVAL);
    return text;
  }
}
