/**
 * The alphabet of byte-level BPE (GPT-2): each byte is written as one printable character, so that a vocabulary of JSON strings
 * can hold any byte sequence. Bytes that are printable in Latin-1 stand for themselves, the others follow from U+0100 on.
 */
const CHARACTER_OF_BYTE: readonly string[] = (() => {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(
  CHARACTER_OF_BYTE.map((character, byte) => [character, byte]),
);

/** The character that stands for `byte` (0..255) in a byte-level vocabulary. */
export function byteLevelCharacter(byte: number): string {
  const character = CHARACTER_OF_BYTE[byte];
  if (character === undefined) throw new RangeError(`${byte} is not a byte`);
  return character;
}

/** The bytes a byte-level vocabulary entry stands for; undefined when it holds a character outside the alphabet. */
export function byteLevelBytes(entry: string): Uint8Array | undefined {
  const bytes = new Uint8Array(entry.length);
  for (let i = 0; i < entry.length; i++) {
    const byte = BYTE_OF_CHARACTER.get(entry.charAt(i));
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
