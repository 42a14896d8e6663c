/**
 * TensorBoard event files as bytes: TensorFlow's `Event` message, as far as scalars need it, framed as TFRecords. Field
 * numbers are those of event.proto and summary.proto.
 */
import { at } from "../base/must";

/** Wire types of protobuf. */
const [VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES] = [0, 1, 2, 5] as const;
const encoder = new TextEncoder();

/** The first event of a file. @param wallTime seconds since 1970 */
export function versionEvent(wallTime: number): Uint8Array {
  return event(wallTime, 0, delimited(3, encoder.encode("brain.Event:2")));
}

/** Says that a run starts again before `step`: TensorBoard drops what earlier files hold from that step on. */
export function restartEvent(wallTime: number, step: number): Uint8Array {
  const SESSION_START = 1;
  return event(wallTime, step, delimited(7, [...key(1, VARINT), SESSION_START]));
}

/** The figures of a step as single-precision scalars. */
export function scalarsEvent(wallTime: number, step: number, scalars: Iterable<readonly [string, number]>): Uint8Array {
  const values = Array.from(scalars, ([tag, value]) =>
    delimited(1, [...delimited(1, encoder.encode(tag)), ...key(2, FOUR_BYTES), ...littleEndian(4, value)]),
  );
  return event(wallTime, step, delimited(5, values.flat()));
}

function event(wallTime: number, step: number, what: readonly number[]): Uint8Array {
  return Uint8Array.from([
    ...key(1, EIGHT_BYTES),
    ...littleEndian(8, wallTime),
    ...key(2, VARINT),
    ...varint(step),
    ...what,
  ]);
}

function delimited(field: number, data: ArrayLike<number>): number[] {
  return [...key(field, LENGTH), ...varint(data.length), ...Array.from(data)];
}

function key(field: number, wireType: number): number[] {
  return varint(field * 8 + wireType);
}

/** @param value a whole number of at least 0 */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function littleEndian(size: 4 | 8, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(size));
  if (size === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return new Uint8Array(view.buffer);
}

/** One TFRecord: length (8 bytes), its masked CRC, the data, its masked CRC; all little-endian. */
export function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return bytes;
}

/** The CRC rotated right by 15 bits plus a constant, so that a CRC of data that holds CRCs stays good. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The reflected Castagnoli polynomial. */
const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** CRC-32C of bytes (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ at(TABLE, (crc ^ byte) & 0xff);
  return ~crc >>> 0;
}
