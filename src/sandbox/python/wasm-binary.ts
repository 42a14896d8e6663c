/** Edits of a WebAssembly binary that need no compiler: the limits of its memory, its stack pointer, its exports. */
import { at as entryAt } from "../../base/must";

export const PAGE = 65_536;

interface Section {
  id: number;
  body: Uint8Array;
}

function readLeb(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  let shift = 0;
  let next = at;
  for (;;) {
    const byte = bytes[next++];
    if (byte === undefined || shift > 28) throw new Error("wasm: a number is cut off or too long");
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) return [value >>> 0, next];
    shift += 7;
  }
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const more = rest > 0x7f;
    bytes.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128 of an i32. */
function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    bytes.push(done ? byte : byte | 0x80);
    if (done) return bytes;
  }
}

function split(bytes: Uint8Array): Section[] {
  if (bytes[0] !== 0 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d)
    throw new Error("wasm: the file does not begin with the WebAssembly magic number");
  const sections: Section[] = [];
  let at = 8;
  while (at < bytes.length) {
    const id = entryAt(bytes, at);
    const [size, start] = readLeb(bytes, at + 1);
    if (start + size > bytes.length) throw new Error(`wasm: section ${id} is cut off`);
    sections.push({ id, body: bytes.subarray(start, start + size) });
    at = start + size;
  }
  return sections;
}

function join(sections: readonly Section[]): Uint8Array<ArrayBuffer> {
  const parts = sections.map(({ id, body }) => ({ head: [id, ...leb(body.length)], body }));
  const total = parts.reduce((sum, { head, body }) => sum + head.length + body.length, 8);
  const out = new Uint8Array(total);
  out.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  let at = 8;
  for (const { head, body } of parts) {
    out.set(head, at);
    out.set(body, at + head.length);
    at += head.length + body.length;
  }
  return out;
}

function replace(bytes: Uint8Array, id: number, edit: (body: Uint8Array) => Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = split(bytes);
  if (!sections.some((section) => section.id === id)) throw new Error(`wasm: there is no section ${id}`);
  return join(sections.map((section) => (section.id === id ? { id, body: edit(section.body) } : section)));
}

/** Sets the initial and the largest size of the only memory, in pages of 64 KiB. */
export function setMemory(bytes: Uint8Array, initial: number | undefined, maximum: number): Uint8Array<ArrayBuffer> {
  return replace(bytes, 5, (body) => {
    const [count, flags] = body;
    if (count !== 1 || flags === undefined || flags > 1) throw new Error("wasm: expected one plain 32-bit memory");
    const [present] = readLeb(body, 2);
    const least = initial ?? present;
    if (maximum < least) throw new Error(`wasm: the memory needs at least ${least} pages, the limit is ${maximum}`);
    return Uint8Array.from([1, 1, ...leb(least), ...leb(maximum)]);
  });
}

/** Pages the only memory starts with. */
export function initialPages(bytes: Uint8Array): number {
  const memory = split(bytes).find(({ id }) => id === 5);
  if (memory === undefined) throw new Error("wasm: there is no memory");
  return readLeb(memory.body, 2)[0];
}

/** Sets the initial value of global 0, which the linker uses as the stack pointer. */
export function setStackPointer(bytes: Uint8Array, value: number): Uint8Array<ArrayBuffer> {
  return replace(bytes, 6, (body) => {
    const [, first] = readLeb(body, 0);
    // type i32 (0x7f), mutable (1), i32.const (0x41)
    if (body[first] !== 0x7f || body[first + 1] !== 1 || body[first + 2] !== 0x41)
      throw new Error("wasm: global 0 is not a mutable i32 constant");
    const [, after] = readLeb(body, first + 3);
    return concat([body.subarray(0, first + 3), Uint8Array.from(signedLeb(value)), body.subarray(after)]);
  });
}

/** Exports a global by name. */
export function exportGlobal(bytes: Uint8Array, index: number, name: string): Uint8Array<ArrayBuffer> {
  return replace(bytes, 7, (body) => {
    const [count, first] = readLeb(body, 0);
    const text = new TextEncoder().encode(name);
    const entry = Uint8Array.from([...leb(text.length), ...text, 3, ...leb(index)]);
    return concat([Uint8Array.from(leb(count + 1)), body.subarray(first), entry]);
  });
}

/** Appends a name section with the name of one global, by which wasm-opt recognises the stack pointer. */
export function nameGlobal(bytes: Uint8Array, index: number, name: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(name);
  const map = [1, ...leb(index), ...leb(text.length), ...text];
  const heading = [4, ...new TextEncoder().encode("name")];
  return join([...split(bytes), { id: 0, body: Uint8Array.from([...heading, 7, ...leb(map.length), ...map]) }]);
}

/** Removes the data segments: for a module whose memory is always filled from a snapshot. */
export function dropData(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = split(bytes);
  if (sections.some(({ id }) => id === 12))
    throw new Error("wasm: the module counts its data segments and may use them");
  return join(sections.filter(({ id }) => id !== 11));
}

/** Replaces the only occurrence of a byte sequence in the code by another of the same length. */
export function patchCode(
  bytes: Uint8Array,
  before: readonly number[],
  after: readonly number[],
): Uint8Array<ArrayBuffer> {
  if (before.length !== after.length) throw new Error("wasm: a patch must not change the length of the code");
  return replace(bytes, 10, (body) => {
    const places: number[] = [];
    const first = entryAt(before, 0);
    for (let at = body.indexOf(first); at >= 0; at = body.indexOf(first, at + 1))
      if (before.every((byte, index) => body[at + index] === byte)) places.push(at);
    const [place] = places;
    if (place === undefined || places.length > 1)
      throw new Error(`wasm: the code to patch was found ${places.length} times`);
    const patched = body.slice();
    patched.set(after, place);
    return patched;
  });
}

/** Removes all custom sections (debug information, names, producers). */
export function dropCustom(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return join(split(bytes).filter(({ id }) => id !== 0));
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
