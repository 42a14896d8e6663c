const BLOCK = 512;

/**
 * Packs files into a tar archive (POSIX ustar, all dates 0, so that equal files give equal bytes).
 *
 * @param files names of at most 100 bytes in ASCII, with the pieces of each file
 * @throws RangeError at a longer name
 */
export function tarBlob(files: Iterable<readonly [name: string, pieces: readonly Uint8Array<ArrayBuffer>[]]>): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const [name, pieces] of files) {
    const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    parts.push(header(name, size), ...pieces, new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

function header(name: string, size: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (text: string, offset: number) => block.set(new TextEncoder().encode(text), offset);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  if (name.length > 100) throw new RangeError(`the name ${name} is too long for a tar archive`);
  put(name, 0);
  put(octal(0o644, 7), 100);
  put(octal(0, 7) + octal(0, 7) + octal(size, 11) + octal(0, 11), 108);
  put("0", 156);
  put("ustar\x0000", 257);
  // The checksum is taken with its own field as eight spaces.
  put(" ".repeat(8), 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 6)} `, 148);
  return block;
}
